// SPDX-License-Identifier: Apache-2.0
#include "support/peer_table.h"

#include "base/result.h"

#include <bpf/bpf.h>

namespace sallyport::test {
namespace {

// Value of sp_peers (bpf/lib/peer_set.h).
struct PeerSet {
    std::uint32_t lock = 0;
    std::uint32_t spare = 0;
    sp_bucket_key keys[SP_PEER_WAYS]{};
    sp_peer peers[SP_PEER_WAYS]{};
};
static_assert(sizeof(PeerSet) == 8 + SP_PEER_WAYS * (sizeof(sp_bucket_key) + sizeof(sp_peer)));

void write_all(const Instance& instance, const PeerSet& set) {
    for (std::uint32_t i = 0; i < SP_PEER_SETS; ++i)
        SP_CHECK(bpf_map_update_elem(instance.maps().peers, &i, &set, BPF_ANY) == 0);
}

} // namespace

void forget_peers(const Instance& instance) {
    write_all(instance, PeerSet{});
}

void set_open(const Instance& instance, const sp_bucket_key& key, std::uint32_t open) {
    PeerSet set;
    set.keys[3] = key;
    set.peers[3].open = open;
    write_all(instance, set);
}

void fill_peers(const Instance& instance) {
    PeerSet set;
    for (std::uint32_t i = 0; i < SP_PEER_WAYS; ++i) {
        set.keys[i].owner = 1000 + i;
        set.peers[i].open = 1;
    }
    write_all(instance, set);
}

std::vector<PeerSeen> read_peers(const Instance& instance) {
    std::vector<PeerSeen> seen;
    for (std::uint32_t i = 0; i < SP_PEER_SETS; ++i) {
        PeerSet set;
        SP_CHECK(bpf_map_lookup_elem(instance.maps().peers, &i, &set) == 0);
        for (std::uint32_t k = 0; k < SP_PEER_WAYS; ++k) {
            const sp_peer& p = set.peers[k];
            const auto begun =
                static_cast<std::uint32_t>(p.begun[0] + p.begun[1] + p.begun[2] + p.begun[3]);
            if (p.open + begun != 0)
                seen.push_back({.key = set.keys[k], .open = p.open, .begun = begun});
        }
    }
    return seen;
}

} // namespace sallyport::test
