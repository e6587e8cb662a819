// SPDX-License-Identifier: Apache-2.0
#pragma once
// File descriptors of the programs' maps, by what they hold (bpf/lib/maps.h says
// what that is). Not owned: they live as long as the Programs they come from.
namespace sallyport {

struct Maps {
    int control = -1;
    int slots = -1;
    int ports = -1; // array of maps, by slot; as the next eleven
    int cells = -1;
    int v4_bits = -1;
    int v6_bits = -1;
    int v4_trie = -1;
    int v6_trie = -1;
    int rules = -1;
    int limits = -1;
    int ban_state = -1;
    int ban_bits = -1;
    int bans4 = -1;
    int bans6 = -1;
    int proofs = -1;
    int cg_steps = -1;
    int cg_states = -1;
    int users = -1;
    int cgroups = -1;
    int ifaces = -1;
    int globs = -1;
    int local = -1;
    int flows = -1;
    int flow_count = -1;
    int fragments = -1;
    int buckets = -1;
    int limit_states = -1;
    int peers = -1;
    int handshakes = -1;
    int counted = -1;
    int peer_round = -1;
    int paid = -1;
    int offers = -1;
    int counts = -1;
    int nic_counts = -1;
    int rule_counts = -1;
    int events = -1;
    int leaving = -1;
    int captures = -1;
    int answers = -1;
    int owners = -1;
    int meta = -1;
};

} // namespace sallyport
