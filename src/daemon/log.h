// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the daemon says on stderr: its only log.
#include "base/result.h"

#include <string>

namespace sallyport {

struct WallNews;

// Once, before anything is said. level: as spdlog names it; an unknown one says nothing.
void start_logging(const std::string& level);
// With the next step; the verifier's words at level debug.
void log_error(const Error& error);
void log_news(const WallNews& news);

} // namespace sallyport
