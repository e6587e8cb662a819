// SPDX-License-Identifier: Apache-2.0
#pragma once
// A rule by what it holds; how it is written, named and placed does not count.
#include "diff/sets.h"
#include "diff/space.h"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::diff {

struct Content {
    Direction direction = Direction::ingress;
    bool deny = false;
    std::vector<SetId> from; // by class of interfaces
    std::vector<SetId> to;
    std::vector<bool> services;
    std::vector<bool> interfaces;
    Identity identity;
    bool log_new = false;
    std::optional<Limit> limit;
    bool operator==(const Content&) const = default;
};

[[nodiscard]] Content content_of(const Rule& rule, const Space& space, Sets& sets);
// "20/1m burst 20 a /32 or /64", "none".
[[nodiscard]] std::string text_of(const std::optional<Limit>& limit);

} // namespace sallyport::diff
