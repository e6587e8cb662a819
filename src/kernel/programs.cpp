// SPDX-License-Identifier: Apache-2.0
#include "kernel/programs.h"

#include "kernel/conntrack.h"
#include "kernel/map.h"
#include "kernel/packet_sockets.h"
#include "sp_bpf.skel.h"

#include <bit>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sallyport {
namespace {

// libbpf speaks through one global callback. What it says while a load fails is
// the only explanation there is, so its warnings are kept for the Error.
std::string& load_log() {
    static std::string log;
    return log;
}

int keep_warnings(libbpf_print_level level, const char* format, std::va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    // One "line" may be the verifier's whole log, whose end is what matters.
    char* line = nullptr;
    if (vasprintf(&line, format, arguments) < 0) return 0;
    if (load_log().size() < (1u << 20)) load_log() += line;
    std::free(line);
    return 0;
}

// Newer than the headers of Debian 12 (linux/bpf.h of 6.4).
constexpr auto kNetfilterPrograms = std::bit_cast<bpf_prog_type>(32u);

struct SkeletonDeleter {
    void operator()(sp_bpf* skeleton) const { sp_bpf::destroy(skeleton); }
};

using Skeleton = std::unique_ptr<sp_bpf, SkeletonDeleter>;

std::string hint_for(int error) {
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        return "this kernel shows no BTF (/sys/kernel/btf/vmlinux): boot one built with "
               "CONFIG_DEBUG_INFO_BTF=y";
    if (error == EPERM || error == EACCES)
        return "run as root, with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, on a kernel that is not "
               "locked down";
    if (error == ENOMEM) return "free memory, or lower [flows] max";
    return "the kernel must be 6.1 or later; the log above says what it objected to";
}

// The programs' scratch is nobody's state: two instances must not share it either.
bool is_pinned(const bpf_map* map) {
    return !bpf_map__is_internal(map) && std::string_view(bpf_map__name(map)) != "sp_work";
}

// Programs a kernel may refuse without the wall falling; status names them.
struct Optional {
    bool tracepoints = true; // that follow cgroups
    bool netfilter = true;   // for what is routed (6.4)
    bool lsm = true;         // that refuse packet sockets
    bool conntrack = true;   // kfuncs that sp_xdp_in calls
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
    if (options.pin_dir.empty()) return skeleton;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
        if (!is_pinned(map)) continue;
        const std::string name = bpf_map__name(map);
        const int error = bpf_map__set_pin_path(map, (options.pin_dir + "/maps/" + name).c_str());
        if (error) return fail_errno(-error, "naming the pin of map " + name);
    }
    return skeleton;
}

Result<Skeleton> load_skeleton(const LoadOptions& options, Optional optional) {
    load_log().clear();
    Skeleton skeleton = SP_TRY(open_skeleton(options, optional));
    const int error = sp_bpf::load(skeleton.get());
    if (error == 0) return skeleton;
    std::unexpected<Error> failure =
        fail_errno(-error, "loading the BPF programs", hint_for(-error));
    failure.error().verifier_log = load_log();
    return failure;
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
    return names;
}

Maps maps_of(const sp_bpf& s) {
    const auto fd = [](const bpf_map* map) { return bpf_map__fd(map); };
    return Maps{
        .control = fd(s.maps.sp_control),
        .slots = fd(s.maps.sp_slots),
        .ports = fd(s.maps.sp_ports),
        .cells = fd(s.maps.sp_cells),
        .v4_bits = fd(s.maps.sp_v4_bits),
        .v6_bits = fd(s.maps.sp_v6_bits),
        .v4_trie = fd(s.maps.sp_v4_trie),
        .v6_trie = fd(s.maps.sp_v6_trie),
        .rules = fd(s.maps.sp_rules),
        .limits = fd(s.maps.sp_limits),
        .ban_state = fd(s.maps.sp_ban_state),
        .ban_bits = fd(s.maps.sp_ban_bits),
        .bans4 = fd(s.maps.sp_bans4),
        .bans6 = fd(s.maps.sp_bans6),
        .cg_steps = fd(s.maps.sp_cg_steps),
        .cg_states = fd(s.maps.sp_cg_states),
        .users = fd(s.maps.sp_users),
        .cgroups = fd(s.maps.sp_cgroups),
        .ifaces = fd(s.maps.sp_ifaces),
        .globs = fd(s.maps.sp_globs),
        .local = fd(s.maps.sp_local),
        .flows = fd(s.maps.sp_flows),
        .flow_count = fd(s.maps.sp_flow_count),
        .fragments = fd(s.maps.sp_fragments),
        .buckets = fd(s.maps.sp_buckets),
        .limit_states = fd(s.maps.sp_limit_states),
        .counts = fd(s.maps.sp_counts),
        .nic_counts = fd(s.maps.sp_nic_counts),
        .rule_counts = fd(s.maps.sp_rule_counts),
        .events = fd(s.maps.sp_events),
        .owners = fd(s.maps.sp_owners),
        .meta = fd(s.maps.sp_meta),
    };
}

const bpf_program* program_of(const sp_bpf& s, Program program) {
    switch (program) {
    case Program::xdp:
        return s.progs.sp_xdp_in;
    case Program::xdp_shut:
        return s.progs.sp_xdp_shut;
    case Program::connect4:
        return s.progs.sp_connect4;
    case Program::connect6:
        return s.progs.sp_connect6;
    case Program::sendmsg4:
        return s.progs.sp_sendmsg4;
    case Program::sendmsg6:
        return s.progs.sp_sendmsg6;
    case Program::cg_egress:
        return s.progs.sp_cg_egress;
    case Program::cg_ingress:
        return s.progs.sp_cg_ingress;
    case Program::sock_create:
        return s.progs.sp_sock_create;
    case Program::tc_egress:
        return s.progs.sp_tc_egress;
    case Program::nf_forward:
        return s.progs.sp_nf_forward;
    case Program::tc_forward:
        return s.progs.sp_tc_forward;
    case Program::hold:
        return s.progs.sp_nf_hold;
    case Program::cg_mkdir:
        return s.progs.sp_cg_mkdir;
    case Program::cg_rmdir:
        return s.progs.sp_cg_rmdir;
    case Program::owners:
        return s.progs.sp_owners_fill;
    case Program::packet_find:
        return s.progs.sp_packet_find;
    case Program::lsm_create:
        return s.progs.sp_lsm_create;
    case Program::lsm_receive:
        return s.progs.sp_lsm_receive;
    case Program::lsm_sendmsg:
        return s.progs.sp_lsm_sendmsg;
    case Program::seed:
        return s.progs.sp_seed;
    case Program::sweep:
        return s.progs.sp_sweep;
    }
    return nullptr;
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
    libbpf_set_print(keep_warnings);
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
                 .conntrack = has_conntrack_kfuncs()};
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
                           .conntrack = false});
    };
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
        if (is_pinned(map)) SP_TRY(pin(bpf_map__fd(map), pin_dir + "/maps/" + bpf_map__name(map)));
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
