// SPDX-License-Identifier: Apache-2.0
#include "kernel/programs.h"

#include "kernel/conntrack.h"
#include "kernel/libbpf_log.h"
#include "kernel/map.h"
#include "kernel/packet_sockets.h"
#include "kernel/skeleton.h"

#include <bit>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

// Newer than the headers of Debian 12 (linux/bpf.h of 6.4).
constexpr auto kNetfilterPrograms = std::bit_cast<bpf_prog_type>(32u);

// Programs a kernel may refuse without the wall falling; status names them.
struct Optional {
    bool tracepoints = true; // that follow cgroups
    bool netfilter = true;   // for what is routed (6.4)
    bool lsm = true;         // that refuse packet sockets
    bool conntrack = true;   // kfuncs that sp_xdp_in calls
    bool recount = true;     // of connections, by an iterator
};

// The instance that is only asked judges packets alone.
bool can_load_lsm(const LoadOptions& options) {
    return lsm_obstacle().empty() && options.settings.ask_slot == 0;
}

Result<Skeleton> open_skeleton(const LoadOptions& options, Optional optional) {
    Skeleton skeleton(sp_bpf::open());
    if (!skeleton) return fail_errno(errno, "opening the BPF object");
    sp_settings settings = options.settings;
    if (settings.forward_hook == SP_FORWARD_NETFILTER && !optional.netfilter)
        settings.forward_hook = SP_FORWARD_TC_INGRESS;
    skeleton->rodata->sp_settings = settings;
    skeleton->rodata->sp_asks_conntrack = optional.conntrack ? 1 : 0;
    // At least one set, or the map cannot be made; flow_sets = 0 still refuses every flow.
    const std::uint32_t sets = options.settings.flow_sets ? options.settings.flow_sets : 1;
    bpf_map__set_max_entries(skeleton->maps.sp_flows, sets);
    bpf_program__set_autoload(skeleton->progs.sp_cg_mkdir, optional.tracepoints);
    bpf_program__set_autoload(skeleton->progs.sp_cg_rmdir, optional.tracepoints);
    // One of the two judges what is routed.
    bpf_program__set_autoload(skeleton->progs.sp_nf_forward,
                              settings.forward_hook == SP_FORWARD_NETFILTER);
    bpf_program__set_autoload(skeleton->progs.sp_tc_forward,
                              settings.forward_hook == SP_FORWARD_TC_INGRESS);
    for (bpf_program* program : {skeleton->progs.sp_lsm_create, skeleton->progs.sp_lsm_receive,
                                 skeleton->progs.sp_lsm_sendmsg})
        bpf_program__set_autoload(program, optional.lsm);
    bpf_program__set_autoload(skeleton->progs.sp_nf_hold, optional.netfilter);
    bpf_program__set_autoload(skeleton->progs.sp_peers_see, optional.recount);
    if (options.pin_dir.empty()) return skeleton;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
        if (!is_of_the_wall(map)) continue;
        const std::string name = bpf_map__name(map);
        const int error = bpf_map__set_pin_path(map, (options.pin_dir + "/maps/" + name).c_str());
        if (error) return fail_errno(-error, "naming the pin of map " + name);
    }
    return skeleton;
}

Result<Skeleton> load_skeleton(const LoadOptions& options, Optional optional) {
    keep_libbpf_warnings();
    Skeleton skeleton = SP_TRY(open_skeleton(options, optional));
    const int error = sp_bpf::load(skeleton.get());
    if (error != 0) return fail_load(-error);
    return skeleton;
}

// The last thing that the verifier says before its statistics.
std::string verifier_complaint(const std::string& log) {
    std::string last;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("processed ") || line.starts_with("-- END")) break;
        if (!line.empty()) last = line;
    }
    return last;
}

// What of the programs a smaller set does without.
std::string left_out(const Optional& all, const Optional& fewer) {
    std::string names;
    const auto name = [&](bool had, bool has, const char* what) {
        if (had && !has) names += (names.empty() ? "" : ", ") + std::string(what);
    };
    name(all.tracepoints, fewer.tracepoints, "following cgroups");
    name(all.netfilter, fewer.netfilter, "the netfilter hooks");
    name(all.conntrack, fewer.conntrack, "asking conntrack");
    name(all.recount, fewer.recount, "counting connections anew");
    return names;
}

} // namespace

struct Programs::Impl {
    Skeleton skeleton; // none of open_standing's
    Maps maps;
    sp_settings settings{};
    std::string lsm_refusal;
    std::string refusal;
    std::map<Program, Fd> programs; // open_standing's
    std::vector<Fd> held;
};

Programs::Programs(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Programs::Programs(Programs&&) noexcept = default;
Programs& Programs::operator=(Programs&&) noexcept = default;
Programs::~Programs() = default;

Result<Programs> Programs::load(const LoadOptions& options) {
    if (!options.pin_dir.empty()) {
        std::error_code error;
        std::filesystem::create_directories(options.pin_dir + "/maps", error);
        if (error) return fail_errno(error.value(), "making " + options.pin_dir + "/maps");
    }
    const bool netfilter = libbpf_probe_bpf_prog_type(kNetfilterPrograms, nullptr) == 1;
    const bool lsm = can_load_lsm(options);
    Optional set{.tracepoints = true,
                 .netfilter = netfilter,
                 .lsm = lsm,
                 .conntrack = has_conntrack_kfuncs(),
                 .recount = true};
    Result<Skeleton> skeleton = load_skeleton(options, set);
    std::string lsm_refusal;
    if (!skeleton && lsm) {
        lsm_refusal = verifier_complaint(skeleton.error().verifier_log);
        set.lsm = false;
        // The first error is the one to show, should the smaller sets fail as well.
        if (Result<Skeleton> loaded = load_skeleton(options, set); loaded)
            skeleton = std::move(loaded);
        else
            lsm_refusal.clear(); // it was not for these that the kernel refused
    }
    std::vector<Optional> smaller;
    const auto but = [&](bool tracepoints, bool with_netfilter) {
        smaller.push_back({.tracepoints = tracepoints,
                           .netfilter = with_netfilter,
                           .lsm = false,
                           .conntrack = false,
                           .recount = false});
    };
    smaller.push_back(set);
    smaller.back().recount = false;
    if (set.conntrack) but(true, netfilter);
    but(false, netfilter);
    if (netfilter) {
        but(true, false);
        but(false, false);
    }
    std::string refusal;
    for (const Optional& fewer : smaller) {
        if (skeleton) break;
        Result<Skeleton> loaded = load_skeleton(options, fewer);
        if (!loaded) continue;
        refusal = left_out(set, fewer) + ": " + verifier_complaint(skeleton.error().verifier_log);
        skeleton = std::move(loaded);
    }
    if (!skeleton) return std::unexpected<Error>(std::move(skeleton).error());
    const Maps maps = maps_of(**skeleton);
    const std::uint32_t zero = 0;
    const sp_settings settings = (*skeleton)->rodata->sp_settings;
    const int error = bpf_map_update_elem(maps.meta, &zero, &settings, BPF_ANY);
    if (error) return fail_errno(-error, "noting the settings");
    return Programs(std::make_unique<Impl>(Impl{.skeleton = std::move(*skeleton),
                                                .maps = maps,
                                                .settings = settings,
                                                .lsm_refusal = std::move(lsm_refusal),
                                                .refusal = std::move(refusal),
                                                .programs = {},
                                                .held = {}}));
}

Result<Programs> Programs::open_standing(const std::string& pin_dir) {
    auto impl = std::make_unique<Impl>();
    for (const auto& [program, name] :
         {std::pair{Program::xdp, "sp_xdp_in"}, std::pair{Program::xdp_shut, "sp_xdp_shut"},
          std::pair{Program::tc_egress, "sp_tc_egress"}})
        impl->programs[program] = SP_TRY(open_pinned(pin_dir + "/programs/" + name));
    for (const auto& [fd, name] :
         {std::pair{&Maps::control, "sp_control"}, std::pair{&Maps::slots, "sp_slots"},
          std::pair{&Maps::ifaces, "sp_ifaces"}, std::pair{&Maps::nic_counts, "sp_nic_counts"},
          std::pair{&Maps::meta, "sp_meta"}}) {
        impl->held.push_back(SP_TRY(open_pinned(pin_dir + "/maps/" + name)));
        impl->maps.*fd = impl->held.back().get();
    }
    const std::uint32_t zero = 0;
    const int error = bpf_map_lookup_elem(impl->maps.meta, &zero, &impl->settings);
    if (error) return fail_errno(-error, "reading the settings of what stands");
    return Programs(std::move(impl));
}

const Maps& Programs::maps() const {
    return impl_->maps;
}

int Programs::fd(Program program) const {
    if (!impl_->skeleton) {
        const auto standing = impl_->programs.find(program);
        return standing == impl_->programs.end() ? -1 : standing->second.get();
    }
    const bpf_program* found = program_of(*impl_->skeleton, program);
    return found ? bpf_program__fd(found) : -1;
}

int Programs::map_fd(const std::string& name) const {
    if (!impl_->skeleton) return -1;
    return bpf_object__find_map_fd_by_name(impl_->skeleton->obj, name.c_str());
}

Result<unsigned> Programs::pin_again(const std::string& pin_dir) const {
    unsigned pinned = 0;
    const auto pin = [&](int fd, const std::string& path) -> Status {
        if (fd < 0 || access(path.c_str(), F_OK) == 0) return {};
        const int error = bpf_obj_pin(fd, path.c_str());
        if (error < 0) return fail_errno(-error, "pinning " + path);
        pinned++;
        return {};
    };
    const bpf_map* map = nullptr;
    bpf_object__for_each_map(map, impl_->skeleton->obj) {
        if (is_of_the_wall(map))
            SP_TRY(pin(bpf_map__fd(map), pin_dir + "/maps/" + bpf_map__name(map)));
    }
    for (const Program program : {Program::xdp, Program::xdp_shut, Program::tc_egress})
        SP_TRY(pin(fd(program), pin_dir + "/programs/" +
                                    bpf_program__name(program_of(*impl_->skeleton, program))));
    return pinned;
}

Status Programs::pin_programs(const std::string& pin_dir) const {
    for (const Program program : {Program::xdp, Program::xdp_shut, Program::tc_egress}) {
        const std::string path =
            pin_dir + "/programs/" + bpf_program__name(program_of(*impl_->skeleton, program));
        const std::string fresh = path + "_new";
        unlink(fresh.c_str()); // of a start that was killed here
        const int error = bpf_obj_pin(fd(program), fresh.c_str());
        if (error < 0) return fail_errno(-error, "pinning " + fresh);
        if (std::rename(fresh.c_str(), path.c_str()) != 0)
            return fail_errno(errno, "renaming " + fresh);
    }
    return {};
}

sp_forward_hook Programs::forward_hook() const {
    return static_cast<sp_forward_hook>(impl_->settings.forward_hook);
}

std::uint64_t Programs::sockets_asked() const {
    return __atomic_load_n(&impl_->skeleton->bss->sp_sockets_asked, __ATOMIC_RELAXED);
}

const std::string& Programs::refusal() const {
    return impl_->refusal;
}

const std::string& Programs::lsm_refusal() const {
    return impl_->lsm_refusal;
}

void Programs::keep_running(KeepRunning keep) {
    impl_->skeleton->bss->sp_keep_running = keep == KeepRunning::yes ? 1 : 0;
}

} // namespace sallyport
