// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include "base/text.h"
#include "daemon/wall.h"

#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <utility>

namespace sallyport {
namespace {

// What steers a terminal is escaped. Some messages have several lines, as those that show a line of
// the policy; words of others have their newlines escaped before.
class EscapedMessage final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const std::string text = escaped_lines({message.payload.data(), message.payload.size()});
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
        return std::make_unique<EscapedMessage>();
    }
};

} // namespace

void start_logging(const std::string& level) {
    auto logger = spdlog::stderr_color_mt("sallyport");
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<EscapedMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %*");
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

void log_error(const Error& error) {
    spdlog::error("{}", escaped(error.text()));
    std::istringstream verifier(error.verifier_log);
    for (std::string line; std::getline(verifier, line);) spdlog::debug("{}", line);
    if (!error.hint.empty()) spdlog::info("next: {}", escaped(error.hint));
}

void log_news(const WallNews& news) {
    for (const std::string& warning : news.warnings) spdlog::warn("{}", warning);
    for (const std::string& note : news.notes) spdlog::info("{}", note);
    for (const std::string& line : news.cut) spdlog::warn("cut: {}", escaped(line));
}

} // namespace sallyport
