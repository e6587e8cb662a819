// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"

#include "base/nesting.h"
#include "daemon/control_socket.h"

#include <array>
#include <cerrno>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::size_t kNestingMost = 64;
constexpr std::size_t kLineMost = 64u << 20; // a list of all bans comes in pages

} // namespace

void limit_reads(int fd, std::chrono::seconds patience) {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::unexpected<Error> no_answer() {
    return fail(ErrorKind::kernel, "the daemon does not answer",
                "see what it does: journalctl -u sallyport");
}

Result<bool> LineReader::fill() {
    for (;;) {
        std::array<char, 65536> chunk;
        const ssize_t got = ::read(fd_, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == ECONNRESET) return false;
        if (got < 0 && errno == EAGAIN) return no_answer();
        if (got < 0) return fail_errno(errno, "reading from the control socket");
        buffer_.append(chunk.data(), static_cast<std::size_t>(got));
        if (buffer_.size() > kLineMost && buffer_.find('\n') == std::string::npos)
            return fail(ErrorKind::internal, "the daemon's answer has no end",
                        "is it of the same version as this command? restart it");
        return got != 0;
    }
}

Result<std::optional<std::string>> LineReader::next() {
    for (;;) {
        if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return std::optional(std::move(line));
        }
        if (!SP_TRY(fill())) return std::optional<std::string>(); // half a line is none
    }
}

Status send_request(int fd, const nlohmann::json& request) {
    // Bytes that are not UTF-8, as a word of the command line may have, become U+FFFD.
    const std::string line =
        request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t now = ::send(fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (now < 0 && errno == EINTR) continue;
        // It has closed already; what it said before (too many clients) is still to be read.
        if (now < 0 && errno == EPIPE) return {};
        if (now < 0) return fail_errno(errno, "writing to the control socket");
        sent += static_cast<std::size_t>(now);
    }
    return {};
}

Result<nlohmann::ordered_json> parse_answer(const std::string& line) {
    auto answer = nests_beyond(line, kNestingMost)
                      ? nlohmann::ordered_json()
                      : nlohmann::ordered_json::parse(line, nullptr, false);
    const auto text = [&](const char* key) {
        const auto at = answer.find(key);
        return at != answer.end() && at->is_string() ? at->get<std::string>() : std::string();
    };
    if (!answer.is_object() || !answer.contains("ok") || !answer["ok"].is_boolean())
        return fail(ErrorKind::internal, "the daemon's answer makes no sense",
                    "is it of the same version as this command? restart it");
    if (!answer["ok"].get<bool>())
        return fail(ErrorKind::kernel, "the daemon refused: " + text("error"), text("hint"));
    return answer;
}

Result<nlohmann::ordered_json> ask_daemon(const std::string& socket,
                                          const nlohmann::json& request) {
    const Fd connection = SP_TRY(connect_to(socket));
    limit_reads(connection.get(), kAnswerPatience);
    SP_TRY(send_request(connection.get(), request));
    LineReader reader(connection.get());
    const auto line = SP_TRY(reader.next());
    if (!line)
        return fail(ErrorKind::kernel, "the daemon closed the connection without an answer",
                    "see what it says: journalctl -u sallyport");
    return parse_answer(*line);
}

} // namespace sallyport
