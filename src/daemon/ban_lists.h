// SPDX-License-Identifier: Apache-2.0
#pragma once
// The files of [bans] lists, followed by inotify: their directories, since a file is often
// replaced by a rename. What inotify does not see (a symlink's target, a network's disk) a
// look at the file itself does, each second.
#include "base/fd.h"
#include "base/result.h"
#include "daemon/ban_store.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sallyport {

class BanLists {
  public:
    // These from now on, as they are now.
    void follow(const std::vector<BanList>& lists);
    // Those whose file has changed since the last call, or since they are followed.
    [[nodiscard]] std::vector<BanList> take_changed();

  private:
    struct Look { // of a file; all zero: there is none
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified_ns = 0;
        std::int64_t changed_ns = 0;
        bool operator==(const Look&) const = default;
    };
    [[nodiscard]] static Look look_at(const std::string& file);
    [[nodiscard]] bool is_told();

    Fd inotify_;
    std::vector<BanList> lists_;
    std::map<std::string, Look> seen_; // by file
    std::chrono::steady_clock::time_point look_again_{};
};

// The networks of such a file. An error names its first bad line.
[[nodiscard]] Result<std::vector<Prefix>> read_ban_list(const std::string& file);

} // namespace sallyport
