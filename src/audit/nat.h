// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a machine's NAT rules publish, from what nft and iptables-save print. A rule that is not
// understood is counted, never guessed at.
#include "audit/machine.h"

#include <optional>
#include <string_view>

namespace sallyport::audit {

struct NatRules {
    std::vector<Publication> published;
    std::size_t not_understood = 0;
    std::size_t foreign = 0; // iptables' rules inside nftables, for iptables-save to tell
};

// `nft -j list ruleset`. nullopt: that is no such text.
[[nodiscard]] std::optional<NatRules> nat_of_nft(std::string_view json);
// `iptables-save -t nat`, of either family.
[[nodiscard]] NatRules nat_of_iptables(std::string_view text);
// What a docker-proxy with these arguments stands for.
[[nodiscard]] std::optional<Publication> nat_of_docker_proxy(const std::vector<std::string>& argv);

} // namespace sallyport::audit
