// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroups.h"

#include "kernel/map.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// The automaton of an image, ready to step.
class Automaton {
  public:
    explicit Automaton(const MapImage& image) : states_(image.cgroup_states) {
        for (const auto& [step, next] : image.cgroup_steps)
            steps_[{step.state, std::string(step.name)}] = next;
    }
    [[nodiscard]] std::uint32_t next(std::uint32_t state, const std::string& name) const {
        const auto step = steps_.find({state, name});
        if (step != steps_.end() && name.size() < SP_CG_NAME) return step->second;
        if (state >= states_.size()) return 0;
        // As sp_cg_mkdir: a name too long to be read whole is nobody's.
        const bool slice =
            name.ends_with(".slice") && name.size() > 6 && name.size() < SP_CG_NAME - 1;
        return slice ? states_[state].other_slice : states_[state].other;
    }

  private:
    const std::vector<sp_cg_state>& states_;
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> steps_;
};

Status walk(const TakeCgroupState& take, const Automaton& automaton, const std::string& path,
            std::uint32_t state) {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return {}; // gone meanwhile
    SP_TRY(take(info.st_ino, state, path));
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
        if (!entry.is_directory(error) || entry.is_symlink(error)) continue;
        const std::string name = entry.path().filename().string();
        SP_TRY(walk(take, automaton, entry.path().string(), automaton.next(state, name)));
    }
    return {};
}

} // namespace

Result<Cgroup> open_cgroup(const std::string& mount, const std::string& path) {
    if (mount.empty())
        return fail(ErrorKind::not_supported, "no cgroup v2 hierarchy is mounted",
                    "mount one: mount -t cgroup2 none /sys/fs/cgroup/unified, or boot with "
                    "systemd.unified_cgroup_hierarchy=1");
    const std::string full = path == "/" ? mount : mount + path;
    Fd fd(open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail_errno(errno, "opening [host] cgroup " + full, "name one that exists");
    struct stat info{};
    if (fstat(fd.get(), &info) != 0) return fail_errno(errno, "asking about " + full);
    const auto level = path == "/" ? 0 : std::count(path.begin(), path.end(), '/');
    return Cgroup{
        .directory = std::move(fd), .id = info.st_ino, .level = static_cast<unsigned>(level)};
}

Status each_cgroup_state(const MapImage& image, const std::string& mount,
                         const TakeCgroupState& take) {
    return walk(take, Automaton(image), mount, 0);
}

Status fill_cgroup_states(const Maps& maps, std::uint32_t slot, const MapImage& image,
                          const std::string& mount) {
    const auto note = [&](std::uint64_t id, std::uint32_t state, const std::string&) {
        const sp_cg_key key{.cgroup = id, .slot = slot, .spare = 0};
        const std::uint32_t value = state + 1;
        return map_update(maps.cgroups, key, value);
    };
    return each_cgroup_state(image, mount, note).context("noting the cgroups");
}

Status clear_cgroup_states(const Maps& maps, std::uint32_t slot) {
    for (const sp_cg_key& key : keys_of<sp_cg_key>(maps.cgroups))
        if (key.slot == slot) SP_TRY(map_delete(maps.cgroups, key));
    return {};
}

} // namespace sallyport
