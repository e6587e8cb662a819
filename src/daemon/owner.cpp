// SPDX-License-Identifier: Apache-2.0
// Looking up owners on this machine. A cgroup's id is its directory's file
// handle in cgroup2; where handles may not be used, the tree is searched for
// the inode of that number.
#include "daemon/owner.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr int kKernfsHandle = 0xfe; // FILEID_KERNFS
constexpr std::size_t kThreadsLookedAt = 64;
// Start times are in ticks, and the clocks are read one after the other.
constexpr std::chrono::seconds kClockSlack{1};

// Files of /proc have no size; 64 KiB are enough for those read here, but for mountinfo.
// A process that ends while it is read is an error of read(2): a stream's buffer throws it,
// its operators do not.
std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string read_link(const std::string& path) {
    std::array<char, 4096> target;
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

std::string without_newline(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

// Field 22 of /proc/PID/stat; the second is in parentheses and may hold anything.
std::optional<std::uint64_t> start_ticks(const std::string& process) {
    const std::string stat = read_file(process + "/stat");
    std::size_t at = stat.rfind(')');
    for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
    if (at == std::string::npos) return std::nullopt;
    std::uint64_t ticks = 0;
    const char* begin = stat.data() + at + 1;
    if (std::from_chars(begin, stat.data() + stat.size(), ticks).ec != std::errc{})
        return std::nullopt;
    return ticks;
}

WallTime wall_of(std::uint64_t ticks, WallTime boot) {
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return boot + std::chrono::seconds{ticks / per_second} +
           std::chrono::microseconds{ticks % per_second * 1'000'000 / per_second};
}

WallTime boot_time_now() {
    timespec boot{};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    const auto up = std::chrono::seconds{boot.tv_sec} + std::chrono::nanoseconds{boot.tv_nsec};
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now() - up);
}

template <typename Map> void make_room(Map& map, std::size_t max_entries) {
    if (map.size() >= max_entries) map.clear();
}

} // namespace

OwnerSources system_owner_sources(std::string host_cgroup) {
    return {.cgroup_root = cgroup2_mount(read_file("/proc/self/mountinfo")).value_or(""),
            .host_cgroup = std::move(host_cgroup),
            .proc_root = "/proc",
            .boot_time = boot_time_now};
}

OwnerNames::OwnerNames(OwnerSources sources) : sources_(std::move(sources)) {
    if (!sources_.cgroup_root.empty())
        root_ = Fd(::open(sources_.cgroup_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Event OwnerNames::complete(Event event) {
    if (event.cgroup.empty() && event.cgroup_id != 0)
        event.cgroup = cgroup_path(event.cgroup_id).value_or("");
    if (event.unit.empty()) event.unit = unit_of_cgroup(event.cgroup, sources_.host_cgroup);
    if (event.container.empty()) event.container = container_of_cgroup(event.cgroup);
    if (event.exe.empty() && event.pid) event.exe = executable(event);
    return event;
}

std::optional<std::string> OwnerNames::cgroup_path(std::uint64_t id) {
    if (const auto known = cgroups_.find(id); known != cgroups_.end()) return known->second;
    if (!root_) return std::nullopt;
    const Found found = path_by_handle(id);
    if (found.search == Search::may_be_repeated) return found.path;
    make_room(cgroups_, sources_.max_entries);
    cgroups_.emplace(id, found.path);
    return found.path;
}

OwnerNames::Found OwnerNames::path_by_handle(std::uint64_t id) const {
    // A file_handle with the id where its flexible end begins.
    const struct Head {
        unsigned bytes = sizeof(std::uint64_t);
        int type = kKernfsHandle;
    } head;
    static_assert(sizeof head == sizeof(file_handle));
    alignas(file_handle) std::array<unsigned char, sizeof head + sizeof id> bytes{};
    std::memcpy(bytes.data(), &head, sizeof head);
    std::memcpy(bytes.data() + sizeof head, &id, sizeof id);
    const Fd directory(::open_by_handle_at(root_.get(),
                                           reinterpret_cast<file_handle*>(bytes.data()),
                                           O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
        if (errno == ESTALE || errno == ENOENT) return {}; // it is gone, and will not come back
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return {.path = std::nullopt, .search = Search::may_be_repeated};
        return path_by_scan(id);
    }
    const std::string path = read_link(fmt::format("/proc/self/fd/{}", directory.get()));
    const std::string& root = sources_.cgroup_root;
    if (path == root) return {.path = "/"};
    if (!path.starts_with(root + "/")) return {}; // outside of what is mounted here
    return {.path = path.substr(root.size())};
}

OwnerNames::Found OwnerNames::path_by_scan(std::uint64_t id) const {
    const std::string& root = sources_.cgroup_root;
    struct stat about{};
    if (::stat(root.c_str(), &about) == 0 && about.st_ino == id) return {.path = "/"};
    std::error_code error;
    fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        std::error_code unseen; // a cgroup that goes while we look is not the one
        if (!at->is_directory(unseen) || at->is_symlink(unseen)) continue;
        if (::lstat(at->path().c_str(), &about) == 0 && about.st_ino == id)
            return {.path = at->path().string().substr(root.size())};
    }
    return {.path = std::nullopt, .search = error ? Search::may_be_repeated : Search::is_final};
}

std::string OwnerNames::executable(const Event& event) {
    if (!event.pid) return {};
    const std::string process = fmt::format("{}/{}", sources_.proc_root, *event.pid);
    const auto ticks = start_ticks(process);
    if (!ticks) return {};
    if (const auto known = executables_.find(*event.pid); known != executables_.end() &&
                                                          known->second.start_ticks == *ticks &&
                                                          known->second.comm == event.comm)
        return known->second.path;
    if (sources_.boot_time && wall_of(*ticks, sources_.boot_time()) > event.at + kClockSlack)
        return {};
    if (!event.comm.empty() && !has_thread_named(process, event.comm)) return {};
    std::string path = read_link(process + "/exe");
    if (path.empty() || start_ticks(process) != ticks) return {};
    if (!executables_.contains(*event.pid)) make_room(executables_, sources_.max_entries);
    executables_[*event.pid] = {.start_ticks = *ticks, .comm = event.comm, .path = path};
    return path;
}

// A thread may have a name of its own, and the kernel tells that of the thread.
bool OwnerNames::has_thread_named(const std::string& process, const std::string& comm) const {
    if (without_newline(read_file(process + "/comm")) == comm) return true;
    std::error_code error;
    fs::directory_iterator at(process + "/task", error);
    for (std::size_t i = 0; !error && at != fs::directory_iterator() && i < kThreadsLookedAt; ++i) {
        if (without_newline(read_file(at->path().string() + "/comm")) == comm) return true;
        at.increment(error);
    }
    return false;
}

} // namespace sallyport
