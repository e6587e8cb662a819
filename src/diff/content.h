// SPDX-License-Identifier: Apache-2.0
#pragma once
// A rule by what it holds; how it is written, named and placed does not count.
#include "diff/sets.h"
#include "diff/space.h"

#include <map>
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

// Of each rule worked out once. The rules are the space's.
class Contents {
  public:
    // Both must outlive this.
    Contents(const Space& space, Sets& sets) : space_(space), sets_(sets) {}
    [[nodiscard]] const Content& of(const Rule& rule);

  private:
    const Space& space_;
    Sets& sets_;
    std::map<const Rule*, Content> known_;
};
// "20/1m burst 20 a /32 or /64", "none".
[[nodiscard]] std::string text_of(const std::optional<Limit>& limit);

} // namespace sallyport::diff
