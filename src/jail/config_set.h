// SPDX-License-Identifier: Apache-2.0
#pragma once
// fail2ban's files of one name taken together: NAME.conf, NAME.d/*.conf, NAME.local,
// NAME.d/*.local, each with what it includes before and after itself; what is read
// later wins. Values are interpolated as they are asked for.
#include "jail/ini.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

// The disk, so that tests need none.
struct FileWorld {
    // A file's bytes. `not_found` when there is none; any other error ends the reading.
    std::function<Result<std::string>(const std::string& path)> read_file;
    // Names in a directory, sorted; empty when there is none.
    std::function<std::vector<std::string>(const std::string& directory)> list;
};

class ConfigSet {
  public:
    // `base` has no extension: "/etc/fail2ban/filter.d/sshd". `extra` is read last.
    [[nodiscard]] static Result<ConfigSet> read(const FileWorld& world, const std::string& base,
                                                const std::vector<std::string>& extra = {});
    // Only that file and what it includes.
    [[nodiscard]] static Result<ConfigSet> read_one(const FileWorld& world,
                                                    const std::string& file);

    [[nodiscard]] const Ini& ini() const { return merged_; }
    [[nodiscard]] Ini& ini() { return merged_; }
    [[nodiscard]] const std::vector<std::string>& files() const { return files_; }

    // The interpolated value; none when there is no such section or key. `over` goes
    // before what the section has. An error: a reference to nothing, or a loop.
    [[nodiscard]] Result<std::optional<Option>> get(std::string_view section, std::string_view key,
                                                    const Options& over = {}) const;
    // The same for "section/key" and "known/key", which fall back to the section's own.
    [[nodiscard]] Result<std::optional<Option>>
    get_anywhere(std::string_view section, const std::string& key, const Options& over) const;

  private:
    Status merge(const FileWorld& world, const std::vector<std::string>& files);
    void merge_file(const Ini& file);

    Ini merged_;
    std::vector<std::string> files_;
};

} // namespace sallyport::jail
