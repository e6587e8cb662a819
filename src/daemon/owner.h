// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names for the numbers by which the kernel knows an event's owner: the cgroup's
// path, its systemd unit and container, the process's executable. All of it is
// for reading only; no verdict rests on it.
#include "base/fd.h"
#include "event/event.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sallyport {

// The systemd unit of a cgroup, as a rule's `unit` sees it: the first name below
// `host_cgroup` that is no slice, when it is a unit's ("ollama.service",
// "session-3.scope"); "" otherwise. What is below a unit is its own to name, and
// says nothing.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path, std::string_view host_cgroup = "/");
// The 64 hex digits that Docker, Podman, CRI-O and containerd put into a cgroup's
// name, of the outermost one; "" when there are none.
[[nodiscard]] std::string container_of_cgroup(std::string_view path);
// Mount point of the cgroup2 hierarchy by a mountinfo file's text; nullopt: none.
[[nodiscard]] std::optional<std::string> cgroup2_mount(std::string_view mountinfo);

struct OwnerSources {
    std::string cgroup_root;       // where cgroup2 is mounted; "": no cgroup is found
    std::string host_cgroup = "/"; // [host] cgroup
    std::string proc_root = "/proc";
    std::function<WallTime()> boot_time; // when the machine started, by today's clock
    std::size_t max_entries = 4096;      // remembered of each kind; when full all are forgotten
};
[[nodiscard]] OwnerSources system_owner_sources(std::string host_cgroup);

class OwnerNames {
  public:
    explicit OwnerNames(OwnerSources sources);

    // The event with exe, cgroup, unit and container filled in where they can be
    // found and are not there yet.
    [[nodiscard]] Event complete(Event event);
    // Path below the hierarchy's root ("/" for the root itself), nullopt when it
    // is gone or out of sight. Remembered: a cgroup's id is never used again.
    [[nodiscard]] std::optional<std::string> cgroup_path(std::uint64_t id);
    // Of the event's process; "" when it is gone, or when its number seems to
    // belong to another by now: that began after the event, or has no thread
    // of the event's comm.
    [[nodiscard]] std::string executable(const Event& event);

  private:
    struct Executable {
        std::uint64_t start_ticks = 0;
        std::string comm;
        std::string path;
    };
    enum class Search : std::uint8_t { is_final, may_be_repeated };
    struct Found {
        std::optional<std::string> path;
        Search search = Search::is_final;
    };
    [[nodiscard]] Found path_by_handle(std::uint64_t id) const;
    [[nodiscard]] Found path_by_scan(std::uint64_t id) const;
    [[nodiscard]] bool has_thread_named(const std::string& process, const std::string& comm) const;

    OwnerSources sources_;
    Fd root_;
    std::unordered_map<std::uint64_t, std::optional<std::string>> cgroups_;
    std::unordered_map<std::uint32_t, Executable> executables_;
};

} // namespace sallyport
