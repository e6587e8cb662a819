// SPDX-License-Identifier: Apache-2.0
#include "cli/tail_stream.h"

#include "base/text.h"
#include "base/version.h"
#include "cli/client.h"
#include "event/json.h"
#include "event/names.h"
#include "event/pcapng.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace sallyport {
namespace {

enum class Ready : std::uint8_t { yes, reader_gone, interrupted, late };

// Until `fd` is ready for `wanted`, the user has had enough, or the reader of
// the output has left, which a pipe tells by POLLERR without being asked.
Result<Ready> wait_for(const TailStream& stream, int fd, short wanted,
                       std::optional<std::chrono::steady_clock::time_point> until = {}) {
    using std::chrono::ceil, std::chrono::milliseconds, std::chrono::steady_clock;
    const bool is_output = fd == stream.output;
    for (;;) {
        std::array<pollfd, 3> fds{
            pollfd{.fd = fd, .events = wanted, .revents = 0},
            pollfd{.fd = stream.signals, .events = POLLIN, .revents = 0},
            pollfd{.fd = is_output ? -1 : stream.output, .events = 0, .revents = 0}};
        const auto left =
            until ? ceil<milliseconds>(*until - steady_clock::now()) : milliseconds(-1);
        if (until && left.count() <= 0) return Ready::late;
        if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0) {
            if (errno == EINTR) continue;
            return fail_errno(errno, "waiting for events");
        }
        if (fds[1].revents != 0) return Ready::interrupted;
        const short output = is_output ? fds[0].revents : fds[2].revents;
        if ((output & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Ready::reader_gone;
        if (fds[0].revents != 0) return Ready::yes;
    }
}

std::optional<TailEnd> end_of(Ready ready) {
    switch (ready) {
    case Ready::yes:
    case Ready::late:
        return std::nullopt;
    case Ready::reader_gone:
        return TailEnd::reader_gone;
    case Ready::interrupted:
        return TailEnd::interrupted;
    }
    return std::nullopt;
}

// nullopt: it is out.
Result<std::optional<TailEnd>> write_out(const TailStream& stream, const std::string& line) {
    for (std::size_t written = 0; written < line.size();) {
        if (const auto end = end_of(SP_TRY(wait_for(stream, stream.output, POLLOUT)))) return end;
        const ssize_t now = ::write(stream.output, line.data() + written, line.size() - written);
        if (now < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (now < 0 && errno == EPIPE) return std::optional(TailEnd::reader_gone);
        if (now < 0) return fail_errno(errno, "writing events");
        written += static_cast<std::size_t>(now);
    }
    return std::optional<TailEnd>();
}

struct Shown {
    std::string text;              // with its newline; bytes of a pcapng; "": nothing
    std::optional<EventKind> kind; // nullopt: of a daemon that knows more than this command
    WallTime at{};
    bool is_last_word = false; // "you were too slow"
};

// Of a newer daemon, whose kinds of events this command does not know: the line itself, in a
// shape of others as the detail of an event, dated as the one before.
std::string unknown_line(const TailStream& stream, const std::string& line, WallTime before) {
    if (const auto* format = std::get_if<Format>(&stream.format))
        return (*format == Format::json ? line : escaped(line)) + '\n';
    if (std::holds_alternative<Pcapng>(stream.format)) return "";
    Event event;
    event.at = before;
    event.kind = EventKind{std::numeric_limits<std::uint16_t>::max()};
    event.detail = line;
    return to_line(event, std::get<EventFormat>(stream.format)) + '\n';
}

// Of packets only `lost` lines come without one.
std::string pcapng_of(const std::string& line, const Event& event, PcapngWriter& writer) {
    if (event.kind == EventKind::lost) {
        say(fmt::format("sallyport: {} packets were lost ({})", event.count,
                        event.lost_by ? to_string(*event.lost_by) : ""));
        return "";
    }
    const Result<Capture> capture = capture_from_json(line);
    return capture ? writer.packet(event, *capture) : "";
}

std::string known_line(const TailStream& stream, const std::string& line, const Event& event) {
    if (const auto* format = std::get_if<Format>(&stream.format))
        return (*format == Format::json ? line : to_text(event, stream.colour, stream.zone)) + '\n';
    return to_line(event, std::get<EventFormat>(stream.format)) + '\n';
}

Shown show(const TailStream& stream, const std::string& line, WallTime before,
           PcapngWriter& writer) {
    const auto event = event_from_json(line);
    if (!event)
        return {.text = unknown_line(stream, line, before), .kind = std::nullopt, .at = before};
    const bool is_pcapng = std::holds_alternative<Pcapng>(stream.format);
    return {.text = is_pcapng ? pcapng_of(line, *event, writer) : known_line(stream, line, *event),
            .kind = event->kind,
            .at = event->at,
            .is_last_word = event->lost_by == LostBy::slow_reader};
}

} // namespace

Result<TailEnd> tail_stream(const TailStream& stream) {
    const bool is_pcapng = std::holds_alternative<Pcapng>(stream.format);
    nlohmann::json request{{"cmd", "tail"}, {"filter", filter_to_json(stream.filter)}};
    if (is_pcapng) request["packets"] = true;
    if (stream.since) request["since"] = stream.since->count();
    SP_TRY(send_request(stream.socket, request));
    PcapngWriter writer;
    LineReader reader(stream.socket);
    bool is_answered = false;
    bool is_cut_off = false;
    std::uint64_t seen = 0;
    WallTime last{};
    std::optional until = std::chrono::steady_clock::now() + stream.patience;
    for (;;) {
        if (!reader.has_line()) {
            const Ready ready = SP_TRY(wait_for(stream, stream.socket, POLLIN, until));
            if (ready == Ready::late) return no_answer();
            if (const auto end = end_of(ready)) return *end;
        }
        const auto line = SP_TRY(reader.next());
        if (!line) return is_cut_off ? TailEnd::cut_off : TailEnd::daemon_gone;
        if (!is_answered) {
            const auto answer = parse_answer(*line);
            if (!answer) return std::unexpected<Error>(answer.error());
            is_answered = true;
            until.reset();
            if (!is_pcapng) continue;
            const std::string head = writer.begin("sallyport " + std::string(own_version()));
            if (const auto end = SP_TRY(write_out(stream, head))) return *end;
            continue;
        }
        const Shown shown = show(stream, *line, last, writer);
        last = shown.at;
        is_cut_off = shown.is_last_word;
        if (const auto end = SP_TRY(write_out(stream, shown.text))) return *end;
        if (shown.kind != EventKind::lost && ++seen == stream.count) return TailEnd::counted;
    }
}

} // namespace sallyport
