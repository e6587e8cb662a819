// SPDX-License-Identifier: Apache-2.0
#pragma once
// From the control socket to the terminal or pipe, line by line, until one of
// them, or the user, ends it.
#include "base/result.h"
#include "cli/client.h"
#include "cli/output.h"
#include "event/filter.h"
#include "event/formats.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace sallyport {

// How an event is shown: for people, as the daemon wrote it, or in the shape of another system.
// Packets: what they are about is written as pcapng, and what is lost is said on stderr.
struct Pcapng {};
using TailFormat = std::variant<Format, EventFormat, Pcapng>;

enum class TailEnd : std::uint8_t {
    counted,     // as many as were asked for
    reader_gone, // who read our output has left (head)
    interrupted, // SIGINT or SIGTERM
    daemon_gone,
    cut_off, // we were too slow, and the stream said so
};

struct TailStream {
    int socket = -1; // connected, blocking; none of the three is owned
    int output = -1;
    int signals = -1; // readable when it is time to end; -1: never
    TailFormat format = Format::text;
    Colour colour = Colour::never;
    Zone zone = Zone::local;
    std::uint64_t count = 0;                              // 0: no end
    std::optional<std::chrono::seconds> since;            // reach back so far
    std::chrono::milliseconds patience = kAnswerPatience; // for the first answer alone
    EventFilter filter;
};

// Asks, then copies; each event is out before the next is read. `lost` lines do
// not count. An error when the daemon refuses, or does not answer.
[[nodiscard]] Result<TailEnd> tail_stream(const TailStream& stream);

} // namespace sallyport
