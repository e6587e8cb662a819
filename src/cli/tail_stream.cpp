// SPDX-License-Identifier: Apache-2.0
#include "cli/tail_stream.h"

#include "base/text.h"
#include "cli/client.h"
#include "event/json.h"

#include <array>
#include <cerrno>
#include <chrono>
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
Result<std::optional<TailEnd>> write_line(const TailStream& stream, std::string line) {
    line += '\n';
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
    std::string line;
    std::optional<EventKind> kind; // nullopt: of a daemon that knows more than this command
    WallTime at{};
    bool is_last_word = false; // "you were too slow"
};

// Of a newer daemon, whose kinds of events this command does not know: the line itself, in a
// shape of others as the detail of an event, dated as the one before.
std::string unknown_line(const TailStream& stream, const std::string& line, WallTime before) {
    if (const auto* format = std::get_if<Format>(&stream.format))
        return *format == Format::json ? line : escaped(line);
    Event event;
    event.at = before;
    event.kind = EventKind{std::numeric_limits<std::uint16_t>::max()};
    event.detail = line;
    return to_line(event, std::get<EventFormat>(stream.format));
}

std::string known_line(const TailStream& stream, const std::string& line, const Event& event) {
    if (const auto* format = std::get_if<Format>(&stream.format))
        return *format == Format::json ? line : to_text(event, stream.colour, stream.zone);
    return to_line(event, std::get<EventFormat>(stream.format));
}

Shown show(const TailStream& stream, const std::string& line, WallTime before) {
    const auto event = event_from_json(line);
    if (!event)
        return {.line = unknown_line(stream, line, before), .kind = std::nullopt, .at = before};
    return {.line = known_line(stream, line, *event),
            .kind = event->kind,
            .at = event->at,
            .is_last_word = event->lost_by == LostBy::slow_reader};
}

} // namespace

Result<TailEnd> tail_stream(const TailStream& stream) {
    SP_TRY(
        send_request(stream.socket, {{"cmd", "tail"}, {"filter", filter_to_json(stream.filter)}}));
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
            continue;
        }
        const Shown shown = show(stream, *line, last);
        last = shown.at;
        is_cut_off = shown.is_last_word;
        if (const auto end = SP_TRY(write_line(stream, shown.line))) return *end;
        if (shown.kind != EventKind::lost && ++seen == stream.count) return TailEnd::counted;
    }
}

} // namespace sallyport
