// SPDX-License-Identifier: Apache-2.0
#include "kernel/standing.h"

#include "kernel/map.h"
#include "kernel/skeleton.h"
#include "kernel/table_reader.h"

#include <bpf/libbpf.h>
#include <cerrno>
#include <utility>

namespace sallyport {
namespace {

constexpr std::pair<const char*, int Maps::*> kRead[] = {
    {"sp_control", &Maps::control},     {"sp_slots", &Maps::slots},
    {"sp_ports", &Maps::ports},         {"sp_cells", &Maps::cells},
    {"sp_v4_bits", &Maps::v4_bits},     {"sp_v6_bits", &Maps::v6_bits},
    {"sp_v4_trie", &Maps::v4_trie},     {"sp_v6_trie", &Maps::v6_trie},
    {"sp_rules", &Maps::rules},         {"sp_limits", &Maps::limits},
    {"sp_cg_steps", &Maps::cg_steps},   {"sp_cg_states", &Maps::cg_states},
    {"sp_users", &Maps::users},         {"sp_cgroups", &Maps::cgroups},
    {"sp_ifaces", &Maps::ifaces},       {"sp_globs", &Maps::globs},
    {"sp_local", &Maps::local},         {"sp_meta", &Maps::meta},
    {"sp_bans4", &Maps::bans4},         {"sp_bans6", &Maps::bans6},
    {"sp_ban_state", &Maps::ban_state}, {"sp_ban_bits", &Maps::ban_bits},
};

} // namespace

Result<std::vector<std::string>> names_of_maps() {
    const Skeleton skeleton(sp_bpf::open());
    if (!skeleton) return fail_errno(errno, "opening the BPF object");
    std::vector<std::string> names;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
        if (is_of_the_wall(map)) names.emplace_back(bpf_map__name(map));
    }
    return names;
}

std::vector<std::string> names_of_pinned_programs() {
    return {"sp_xdp_in", "sp_xdp_shut", "sp_tc_egress"};
}

Result<StandingMaps> open_standing_maps(const std::string& layout_dir) {
    StandingMaps standing;
    const std::vector<std::string> names = SP_TRY(names_of_maps());
    for (const std::string& name : names) {
        Result<Fd> map = open_pinned(layout_dir + "/maps/" + name);
        if (!map && map.error().kind == ErrorKind::not_found) {
            standing.missing.push_back(name);
            continue;
        }
        if (!map) return std::unexpected<Error>(std::move(map).error());
        const MapShape shape = SP_TRY(shape_of(map->get()));
        standing.ids.push_back(shape.id);
        for (const auto& [known, member] : kRead)
            if (name == known) standing.maps.*member = map->get();
        standing.held.emplace(name, *std::move(map));
    }
    return standing;
}

} // namespace sallyport
