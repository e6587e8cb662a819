// SPDX-License-Identifier: Apache-2.0
#pragma once
// Does a source try more than its limit lets in, by what it has proved alone? Who is refused
// may be so because others forged his address and used up what the limit gives him: so what
// is refused is excess only beyond as much as the limit lets in.
#include "base/ip.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace sallyport {

// GCRA, as the limits (abi/limit.h).
struct Allowance {
    std::uint64_t interval_ns = 0;
    std::uint64_t ahead_ns = 0; // (burst - 1) * interval_ns
};

class Excess {
  public:
    explicit Excess(std::size_t remembered = 65536) : most_(remembered) {}

    // One more of this source under that limit; false: it is within. Also false, of one who is
    // new, when as many as fit are waiting for their time.
    [[nodiscard]] bool is_beyond(const Prefix& source, std::uint32_t limit,
                                 const Allowance& allowance, std::uint64_t at_ns);

    [[nodiscard]] std::size_t remembered() const { return due_.size(); }

  private:
    std::size_t most_;
    std::uint64_t swept_ns_ = 0;
    std::map<std::pair<Prefix, std::uint32_t>, std::uint64_t> due_;
};

} // namespace sallyport
