// SPDX-License-Identifier: Apache-2.0
#include "support/peer_host.h"

#define SP_HOST
#include <cstring>
#include <linux/bpf.h>
#undef __always_inline // glibc's; bpf/lib/base.h brings its own
#include "lib/peer_count.h"

namespace sallyport::test {

Peers::Peers() : set_(std::make_unique<sp_peer_set>()) {}
Peers::~Peers() = default;

bool Peers::take(const sp_bucket_key& key, std::uint32_t most, std::uint32_t now,
                 std::uint32_t since) {
    lock_peers(set_.get());
    const bool taken = take_place_locked(set_.get(), &key, most, since, now) != 0;
    unlock_peers(set_.get());
    return taken;
}

bool Peers::open(sp_counted& counted, std::uint32_t since, std::uint32_t round, std::uint32_t now) {
    lock_peers(set_.get());
    const bool opened = open_locked(set_.get(), &counted, since, round, now) != 0;
    unlock_peers(set_.get());
    return opened;
}

void Peers::end(sp_counted& counted) {
    lock_peers(set_.get());
    end_locked(set_.get(), &counted);
    unlock_peers(set_.get());
}

void Peers::see(sp_counted& counted, std::uint32_t round, std::uint32_t now) {
    lock_peers(set_.get());
    see_locked(set_.get(), &counted, round, now);
    unlock_peers(set_.get());
}

void Peers::settle(std::uint32_t round) {
    lock_peers(set_.get());
    settle_locked(set_.get(), round);
    unlock_peers(set_.get());
}

std::uint32_t Peers::open_of(const sp_bucket_key& key) const {
    lock_peers(set_.get());
    const std::uint32_t i = peer_of(set_.get(), &key);
    const std::uint32_t open = i < SP_PEER_WAYS ? set_->peers[i].open : 0;
    unlock_peers(set_.get());
    return open;
}

void Peers::distort(const sp_bucket_key& key, std::uint32_t more) {
    lock_peers(set_.get());
    const std::uint32_t i = peer_of(set_.get(), &key);
    if (i < SP_PEER_WAYS) set_->peers[i].open += more;
    unlock_peers(set_.get());
}

} // namespace sallyport::test
