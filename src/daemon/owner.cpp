// SPDX-License-Identifier: Apache-2.0
// Looking up owners on this machine. A cgroup's id is its directory's file
// handle in cgroup2; where handles may not be used, the tree is searched for
// the inode of that number.
#include "daemon/owner.h"

#include "base/small_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr int kKernfsHandle = 0xfe; // FILEID_KERNFS

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
    constexpr std::size_t kMountsMost = std::size_t{1} << 20;
    OwnerSources sources;
    sources.cgroup_root =
        cgroup2_mount(read_small_file("/proc/self/mountinfo", kMountsMost).value_or(""))
            .value_or("");
    sources.host_cgroup = std::move(host_cgroup);
    sources.processes.boot_time = boot_time_now;
    return sources;
}

OwnerNames::OwnerNames(OwnerSources sources)
    : sources_(std::move(sources)), processes_(sources_.processes), users_(sources_.passwd),
      containers_(sources_.engines_root) {
    if (!sources_.cgroup_root.empty())
        root_ = Fd(::open(sources_.cgroup_root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Event OwnerNames::complete(Event event) {
    if (event.cgroup.empty() && event.cgroup_id != 0)
        event.cgroup = cgroup_path(event.cgroup_id).value_or("");
    if (!event.cgroup.empty()) name_cgroup(event);
    if (const ProcessSeen* seen = processes_.find(event)) {
        if (event.exe.empty()) event.exe = seen->exe;
        if (event.cmdline.empty()) event.cmdline = seen->command_line;
        if (!event.ppid && seen->parent != 0) {
            event.ppid = seen->parent;
            event.parent = seen->parent_comm;
        }
        if (event.gpus.empty()) event.gpus = seen->gpus;
    }
    if (event.uid && event.user.empty()) event.user = users_.name_of(*event.uid);
    return event;
}

void OwnerNames::name_cgroup(Event& event) {
    if (event.unit.empty()) event.unit = unit_of_cgroup(event.cgroup, sources_.host_cgroup);
    if (event.slice.empty()) event.slice = slice_of_cgroup(event.cgroup, sources_.host_cgroup);
    if (event.container.empty()) event.container = container_of_cgroup(event.cgroup);
    if (!event.container.empty() && event.container_name.empty())
        event.container_name = containers_.name_of(event.container, sources_.processes.now());
    if (event.slurm_job.empty()) {
        SlurmJob job = slurm_job_of_cgroup(event.cgroup);
        event.slurm_job = std::move(job.job);
        event.slurm_step = std::move(job.step);
    }
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

} // namespace sallyport
