// SPDX-License-Identifier: Apache-2.0
#pragma once
// Data goes to stdout, talk to stderr.
#include "base/result.h"
#include "cli/exit_code.h"
#include "event/text.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

namespace sallyport {

enum class Format : unsigned char { text, json };

// Colours only on a terminal that can, and never with NO_COLOR (unless empty).
[[nodiscard]] Colour colour_for(int fd);
[[nodiscard]] Colour decide_colour(bool is_terminal,
                                   const std::function<const char*(const char*)>& get_env);

// Whole, to stdout, flushed. Nobody reading (a closed pipe) is no failure.
void print_data(std::string_view text);
// The errno by which something of it was lost (a full disk), or 0.
[[nodiscard]] int lost_output();
void print_json(const nlohmann::ordered_json& json);
// To stderr, a line or several. What would steer a terminal is escaped; who says words of others
// escapes their newlines himself.
void say(std::string_view text);
// "sallyport: MESSAGE", the verifier's last words, "  next: HINT", all to stderr.
void say_error(const Error& error);
// The same and, when JSON was asked for, {"ok":false,...} to stdout.
[[nodiscard]] ExitCode report_failure(const Error& error, Format format);

[[nodiscard]] nlohmann::ordered_json error_to_json(const Error& error);

} // namespace sallyport
