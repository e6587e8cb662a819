// SPDX-License-Identifier: Apache-2.0
#pragma once
// The pin directory: <bpffs>/v<layout>/{maps,links}, ours alone (0700). A pin is
// the enforcement; whoever removes it opens the host.
#include "base/fd.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// A pin's name and the file that bears it. bpffs refuses dots, which NICs may have in
// their names (eth0.5), and not colons, which they may not.
[[nodiscard]] std::string file_of_pin(std::string name);
[[nodiscard]] std::string pin_of_file(std::string file);

// Directories below this one of other versions' layouts in which links are pinned, sorted.
[[nodiscard]] std::vector<std::string> other_layouts(const std::string& directory);

class Pins {
  public:
    // Mounts a bpffs on the directory's parent where there is none, makes the
    // directory, and locks it for this process. conflict when another holds it for
    // longer than `patience`: `sallyport guard` holds it for some milliseconds.
    [[nodiscard]] static Result<Pins>
    lock(const std::string& directory,
         std::chrono::milliseconds patience = std::chrono::milliseconds(1000));

    [[nodiscard]] const std::string& layout_dir() const { return layout_dir_; }
    [[nodiscard]] std::string link(const std::string& name) const {
        return layout_dir_ + "/links/" + file_of_pin(name);
    }
    [[nodiscard]] std::string map(const std::string& name) const {
        return layout_dir_ + "/maps/" + name;
    }
    // A NIC's programs, for who guards one without loading them anew.
    [[nodiscard]] std::string program(const std::string& name) const {
        return layout_dir_ + "/programs/" + name;
    }
    // Is there an enforcement to adopt? A start that died before its policy was in
    // force has left none, whatever else it left; nor has a `down` that died.
    [[nodiscard]] bool stands() const;
    // Ends enforcement at one stroke, then detaches and removes hook after hook; the
    // directory stays ours.
    [[nodiscard]] Status clear() const;
    // After the directory was removed or the filesystem unmounted under a running
    // daemon: makes it anew and locks it; nothing to do is no error.
    [[nodiscard]] Status restore();
    // Names of the pinned links, sorted.
    [[nodiscard]] std::vector<std::string> links() const;
    // Removes every pin and the directory, links before maps. What could not be
    // removed is named in the error; the rest is gone.
    [[nodiscard]] Status remove() const;
    // Removes the directory when nothing is pinned in it: a lock would else leave one behind.
    void remove_if_empty() const;

    [[nodiscard]] std::vector<std::string> others() const { return other_layouts(directory_); }
    // A wall of another version stands there. Its links that can run our programs, those of
    // NICs and of this cgroup (by id), are pinned among ours too, where we have none of that
    // name: who installs them finds them standing, and there is no gap. Idempotent.
    [[nodiscard]] Status take_links(std::uint64_t cgroup) const;
    // Its pins go, and with them what of it was not taken; also those of a removal that died.
    [[nodiscard]] Status forget_others() const;
    // Its hooks go, taken or not.
    [[nodiscard]] Status remove_others() const;

  private:
    Pins(std::string directory, Fd lock);
    [[nodiscard]] Status take(std::chrono::milliseconds patience);
    std::string directory_;
    std::string layout_dir_;
    Fd lock_;
};

// The same questions without taking the lock, for commands beside a daemon.
[[nodiscard]] std::string layout_dir_of(const std::string& directory);

} // namespace sallyport
