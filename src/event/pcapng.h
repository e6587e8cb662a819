// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packets with what was decided of them, as a pcapng file (draft-ietf-opsawg-pcapng): one
// section, an interface description for each interface and link type when its first packet
// comes, and an enhanced packet block a packet with direction, verdict and a comment.
#include "event/capture.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace sallyport {

class PcapngWriter {
  public:
    // What a file begins with. `program`: who writes it.
    [[nodiscard]] std::string begin(std::string_view program);
    // The next blocks. An event without an interface's name goes by its hook's.
    [[nodiscard]] std::string packet(const Event& event, const Capture& capture);

  private:
    [[nodiscard]] std::uint32_t number_of(const Event& event, CaptureLayer layer, std::string& out);

    std::map<std::pair<std::string, CaptureLayer>, std::uint32_t> interfaces_;
};

// "drop no-rule; xdp; pid 812 curl (/usr/bin/curl)": printable, of one line.
[[nodiscard]] std::string packet_comment(const Event& event);

} // namespace sallyport
