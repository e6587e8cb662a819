// SPDX-License-Identifier: Apache-2.0
#pragma once
// Looks who holds packet sockets, tells the readers what is news, and keeps the
// list for `status`.
#include "daemon/packet_sockets.h"
#include "daemon/status.h"

#include <optional>
#include <vector>

namespace sallyport {

class Publisher;
class Wall;

class PacketPatrol {
  public:
    // Walks every open file of the machine; nothing under packet-sockets = "allow".
    [[nodiscard]] Status look(const Wall& wall, Publisher& publisher);
    // As of the last look; nothing when nobody looks.
    [[nodiscard]] std::optional<std::vector<PacketSocketStatus>> held(const Wall& wall,
                                                                      Publisher& publisher) const;

  private:
    PacketSocketWatch watch_;
};

} // namespace sallyport
