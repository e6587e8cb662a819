// SPDX-License-Identifier: Apache-2.0
#pragma once
// The small syntaxes within the values of fail2ban's files.
#include "base/result.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

// "name[mode=aggressive, a="b"][c='d']".
struct NameWithOptions {
    std::string name;
    std::map<std::string, std::string> options;
};
[[nodiscard]] Result<NameWithOptions> parse_name_with_options(std::string_view text);

// By commas, spaces and newlines; no empty ones.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);
// As a shell would: quotes and backslashes, nothing is expanded.
[[nodiscard]] Result<std::vector<std::string>> split_shell(std::string_view text);

// "600", "10m", "1h 30min", "1d12h", "1year-6mo": whole seconds. Negative when it is
// (a bantime of -1 has no end).
[[nodiscard]] Result<std::chrono::seconds> parse_time_span(std::string_view text);

// "true", "yes", "on" and "1", in any case; everything else is no.
[[nodiscard]] bool parse_yes(std::string_view text);
// "false", "no", "off", "0" or nothing: meant as no.
[[nodiscard]] bool parse_no(std::string_view text);
[[nodiscard]] std::optional<long> parse_integer(std::string_view text);

} // namespace sallyport::jail
