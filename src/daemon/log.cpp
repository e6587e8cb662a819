// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include "daemon/wall.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <utility>

namespace sallyport {

void start_logging(const std::string& level) {
    auto logger = spdlog::stderr_color_mt("sallyport");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

void log_error(const Error& error) {
    spdlog::error("{}", error.text());
    if (!error.verifier_log.empty()) spdlog::debug("{}", error.verifier_log);
    if (!error.hint.empty()) spdlog::info("next: {}", error.hint);
}

void log_news(const WallNews& news) {
    for (const std::string& warning : news.warnings) spdlog::warn("{}", warning);
    for (const std::string& note : news.notes) spdlog::info("{}", note);
    for (const std::string& line : news.cut) spdlog::warn("cut: {}", line);
}

} // namespace sallyport
