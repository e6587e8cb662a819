// SPDX-License-Identifier: Apache-2.0
#pragma once
// The count of connections of the programs, natively: with the clock in the test's hand,
// and threads instead of CPUs.
#include "sallyport/abi/connection.h"

#include <cstdint>
#include <memory>

struct sp_peer_set;

namespace sallyport::test {

// One set of the table, as the programs use it. All of it from any thread.
class Peers {
  public:
    Peers();
    ~Peers();
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    // A handshake takes a place, in exchange for that which it had `since` (0: none).
    bool take(const sp_bucket_key& key, std::uint32_t most, std::uint32_t now,
              std::uint32_t since = 0);
    // Its socket is there; `counted` is the socket's storage, its peer filled in.
    bool open(sp_counted& counted, std::uint32_t since, std::uint32_t round, std::uint32_t now);
    void end(sp_counted& counted);
    // A recount: comes by a socket; and its end.
    void see(sp_counted& counted, std::uint32_t round, std::uint32_t now);
    void settle(std::uint32_t round);
    // Open connections, handshakes left out; 0 for who is not there.
    [[nodiscard]] std::uint32_t open_of(const sp_bucket_key& key) const;
    // As if somebody had missed so many ends.
    void distort(const sp_bucket_key& key, std::uint32_t more);

  private:
    std::unique_ptr<sp_peer_set> set_;
};

} // namespace sallyport::test
