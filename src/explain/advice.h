// SPDX-License-Identifier: Apache-2.0
#pragma once
// What would let a packet pass that is dropped: the smallest rule, or what else must change
// where no rule helps.
#include "explain/asked_packet.h"
#include "explain/policy_place.h"
#include "explain/sender.h"
#include "kernel/ask.h"

#include <optional>
#include <string>

namespace sallyport::explain {

struct Dropped {
    std::uint32_t reason = 0;    // enum sp_reason
    std::uint32_t direction = 0; // enum sp_direction: by which rules
    std::optional<RulePlace> rule{};
    std::optional<AskedPacket> packet{};  // in words, as far as it has got any
    Sender sender{};                      // of what leaves
    std::optional<bool> opening_passes{}; // of a segment without a flow: would its SYN?
};

struct Advice {
    std::string text{}; // for people, a sentence or two
    std::string toml{}; // a rule, ready to paste; "": none helps
};

[[nodiscard]] Advice advise(const Dropped& dropped, const PolicyPlace& place);
// The smallest rule that lets such a packet open; "" when none can.
[[nodiscard]] std::string smallest_rule(std::uint32_t direction, const AskedPacket& packet,
                                        const Sender& sender, const PolicyPlace& place);

} // namespace sallyport::explain
