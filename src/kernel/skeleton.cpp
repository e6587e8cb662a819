// SPDX-License-Identifier: Apache-2.0
#include "kernel/skeleton.h"

#include <bpf/libbpf.h>
#include <string_view>

namespace sallyport {

bool is_of_the_wall(const bpf_map* map) {
    return !bpf_map__is_internal(map) && std::string_view(bpf_map__name(map)) != "sp_work";
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
        .proofs = fd(s.maps.sp_proofs),
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
        .peers = fd(s.maps.sp_peers),
        .handshakes = fd(s.maps.sp_handshakes),
        .counted = fd(s.maps.sp_counted),
        .peer_round = fd(s.maps.sp_peer_round),
        .paid = fd(s.maps.sp_paid),
        .offers = fd(s.maps.sp_offers),
        .counts = fd(s.maps.sp_counts),
        .nic_counts = fd(s.maps.sp_nic_counts),
        .rule_counts = fd(s.maps.sp_rule_counts),
        .events = fd(s.maps.sp_events),
        .leaving = fd(s.maps.sp_leaving),
        .captures = fd(s.maps.sp_captures),
        .answers = fd(s.maps.sp_answers),
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
    case Program::sock_ops:
        return s.progs.sp_sock_ops;
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
    case Program::peers_see:
        return s.progs.sp_peers_see;
    case Program::peers_settle:
        return s.progs.sp_peers_settle;
    }
    return nullptr;
}

} // namespace sallyport
