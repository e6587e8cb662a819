// SPDX-License-Identifier: Apache-2.0
#pragma once
// Asking the daemon over its control socket.
#include "base/fd.h"
#include "base/result.h"

#include <chrono>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sallyport {

// Reads from a socket line by line, keeping what came after the last one.
class LineReader {
  public:
    explicit LineReader(int fd) : fd_(fd) {} // not owned
    // The next line without its newline, nullopt at the end. Blocks only when the
    // socket does and no whole line is here yet.
    [[nodiscard]] Result<std::optional<std::string>> next();
    // Reads once, and blocks only when the socket does; false at the end. For who waits for several
    // things: next() does not read while has_line().
    [[nodiscard]] Result<bool> fill();
    // A whole line is here already.
    [[nodiscard]] bool has_line() const { return buffer_.find('\n') != std::string::npos; }

  private:
    int fd_;
    std::string buffer_;
};

// How long the daemon may take for an answer.
constexpr std::chrono::seconds kAnswerPatience{10};
// Reads of that socket fail with EAGAIN after it; 0: they wait for ever.
void limit_reads(int fd, std::chrono::seconds patience);
[[nodiscard]] std::unexpected<Error> no_answer();

[[nodiscard]] Status send_request(int fd, const nlohmann::json& request);
// {"ok":true,...} as it is; {"ok":false,...} as its error.
[[nodiscard]] Result<nlohmann::ordered_json> parse_answer(const std::string& line);

// One question, one answer. ErrorKind::not_found when no daemon listens.
[[nodiscard]] Result<nlohmann::ordered_json> ask_daemon(const std::string& socket,
                                                        const nlohmann::json& request);

} // namespace sallyport
