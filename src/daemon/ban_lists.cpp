// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_lists.h"

#include "config/parse.h"
#include "config/zone_file.h"

#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr std::uint32_t kWatched = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                   IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;

std::int64_t ns_of(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}

} // namespace

BanLists::Look BanLists::look_at(const std::string& file) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) return {};
    return {.device = found.st_dev,
            .inode = found.st_ino,
            .size = found.st_size,
            .modified_ns = ns_of(found.st_mtim),
            .changed_ns = ns_of(found.st_ctim)};
}

void BanLists::follow(const std::vector<BanList>& lists) {
    lists_ = lists;
    seen_.clear();
    inotify_ = Fd();
    if (lists_.empty()) return;
    inotify_ = Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); // without it, the look each second
    for (const BanList& list : lists_) {
        seen_[list.file] = look_at(list.file);
        const std::string directory = std::filesystem::path(list.file).parent_path().string();
        if (inotify_)
            static_cast<void>(inotify_add_watch(
                inotify_.get(), directory.empty() ? "." : directory.c_str(), kWatched));
    }
}

bool BanLists::is_told() {
    std::array<char, 16384> events;
    bool told = false;
    while (inotify_ && ::read(inotify_.get(), events.data(), events.size()) > 0) told = true;
    return told;
}

std::vector<BanList> BanLists::take_changed() {
    std::vector<BanList> changed;
    if (lists_.empty()) return changed;
    const auto now = std::chrono::steady_clock::now();
    if (!is_told() && now < look_again_) return changed;
    look_again_ = now + kLookEvery;
    for (const BanList& list : lists_) {
        const Look look = look_at(list.file);
        if (look == seen_[list.file]) continue;
        seen_[list.file] = look;
        changed.push_back(list);
    }
    return changed;
}

Result<std::vector<Prefix>> read_ban_list(const std::string& file) {
    const std::string text = SP_TRY(system_world().read_file(file));
    config::ZoneFile zone = config::parse_zone_file(text, file);
    if (!zone.errors.empty())
        return fail(ErrorKind::invalid_input,
                    fmt::format("{}:{}: {}", file, zone.errors[0].line, zone.errors[0].message));
    return std::move(zone.networks);
}

} // namespace sallyport
