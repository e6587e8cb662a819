// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the readers of capture files share.
#include "explain/captured.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sallyport::explain {

using View = std::span<const std::uint8_t>;

// Numbers of a capture file, in the byte order that its first four bytes tell.
class Numbers {
  public:
    Numbers(View bytes, std::endian order) : bytes_(bytes), order_(order) {}

    [[nodiscard]] std::uint32_t at(std::size_t offset) const {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i)
            value = value << 8 | bytes_[offset + (order_ == std::endian::big ? i : 3 - i)];
        return value;
    }

  private:
    View bytes_;
    std::endian order_;
};

// How many bytes of a packet of that link type stand before its IP header.
struct Link {
    Layer layer = Layer::frame;
    std::size_t skip = 0;
};

// By the number that the registry of link types gives it; nullopt: not read here.
[[nodiscard]] std::optional<Link> link_of(std::uint32_t type);

// It begins as a pcapng file does.
[[nodiscard]] bool is_pcapng(View file);
// As parse_pcap() says; several sections and interfaces, of which a packet names its own.
[[nodiscard]] Result<std::vector<Captured>> parse_pcapng(View file);

} // namespace sallyport::explain
