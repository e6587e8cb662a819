// SPDX-License-Identifier: Apache-2.0
// The control socket under a fuzzer: bytes as a client sends them, in pieces, while events come and
// the client reads or does not. What must hold: every line out is valid JSON, an answer or an
// event; there is no more than one answer for each line in; who is too slow or asks too much
// is let go, and what is kept for him stays within its bound.
#include "base/result.h"
#include "base/text.h"
#include "daemon/control_client.h"
#include "event/json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>

using namespace sallyport;

namespace {

constexpr ControlLimits kLimits{.clients = 1, .request_bytes = 2048, .queue_bytes = 16384};

// Takes what the daemon's handlers take, by the same means.
Result<nlohmann::ordered_json> handle(const nlohmann::json& request, const Peer&) {
    const std::string command = request.at("cmd");
    if (command == "ban")
        return nlohmann::ordered_json{{"network", request.value("network", "")},
                                      {"seconds", request.value("seconds", std::int64_t{0})}};
    if (command == "apply")
        return nlohmann::ordered_json{{"text", request.at("text").get<std::string>()},
                                      {"force", request.value("force", false)}};
    return fail(ErrorKind::invalid_input, "unknown command " + command, "try another");
}

Event event_of(std::uint8_t byte) {
    Event event;
    event.kind = (byte & 1) != 0 ? EventKind::drop : EventKind::hook;
    event.detail = std::string(byte, 'x');
    return event;
}

class Reader {
  public:
    explicit Reader(int fd) : fd_(fd) {}
    void read() {
        std::array<char, 4096> chunk;
        for (ssize_t got; (got = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0;)
            text_.append(chunk.data(), static_cast<std::size_t>(got));
        for (std::size_t end; (end = text_.find('\n')) != std::string::npos;
             text_.erase(0, end + 1))
            check(std::string_view(text_).substr(0, end));
    }
    [[nodiscard]] std::size_t answers() const { return answers_; }

  private:
    void check(std::string_view line) {
        const auto said = nlohmann::json::parse(line, nullptr, false);
        SP_CHECK(said.is_object());
        if (said.contains("event")) {
            SP_CHECK(event_from_json(line).has_value());
            return;
        }
        ++answers_;
        SP_CHECK(said.at("ok").is_boolean());
        SP_CHECK(said["ok"].get<bool>() || said.at("error").is_string());
    }
    int fd_;
    std::string text_;
    std::size_t answers_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::array<int, 2> ends{};
    SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const Fd peer(ends[1]);
    Recent events(4096), packets(4096);
    ControlClient client(Fd(ends[0]), Peer{}, kLimits, {.events = &events, .packets = &packets});
    Reader reader(peer.get());
    std::size_t asked = 0;
    auto fate = ControlClient::Fate::stays;
    std::span<const std::uint8_t> left(data, size);
    // A byte says how many follow, whether an event comes then, and whether the client reads.
    while (!left.empty() && fate == ControlClient::Fate::stays) {
        const std::uint8_t plan = left.front();
        const auto piece = left.subspan(1, std::min<std::size_t>(left.size() - 1, plan & 0x3F));
        left = left.subspan(1 + piece.size());
        asked += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
        if (!piece.empty() && (client.interest() & 1) != 0) { // EPOLLIN
            if (::send(peer.get(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                break;
            fate = client.handle_input(handle);
        }
        if (fate == ControlClient::Fate::stays && (plan & 0x40) != 0) {
            const Event event = event_of(plan);
            const auto line = std::make_shared<const std::string>(to_json_line(event) + '\n');
            events.keep({.event = event, .line = line}, std::chrono::steady_clock::now());
            if (client.wants(event, ControlClient::Stream::events))
                fate = client.is_in_past() ? client.go_on() : client.publish(event, line);
        }
        if ((plan & 0x80) != 0) reader.read();
        if (fate == ControlClient::Fate::stays) fate = client.handle_output();
    }
    reader.read();
    SP_CHECK(reader.answers() <= asked + 1); // and one for a line that is too long
    return 0;
}
