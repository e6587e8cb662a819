// SPDX-License-Identifier: Apache-2.0
#pragma once
// One way to write the date of a line: a date pattern of fail2ban (strptime's
// directives within a regular expression, EPOCH, TAI64N, ...) made ready to search.
#include "base/result.h"
#include "jail/regex.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::jail {

enum class DateKind : std::uint8_t { fields, epoch, long_epoch, tai64n };

struct DateTemplate {
    std::string name; // the same for the same way to write a date
    DateKind kind = DateKind::fields;
    std::size_t value_group = 1; // of epochs
    bool is_anchored = false;    // to an end of the line
    double weight = 1;
    Regex regex;
};

// "%Y-%m-%d", "{^LN-BEG}%b %d", "{UNB}%H", "^EPOCH", "{NONE}". Not those that stand
// for many, which templates_of() takes.
[[nodiscard]] std::expected<DateTemplate, RegexError> make_date_template(std::string_view pattern);

// All that a datepattern stands for: "{DEFAULT}" for the default detectors, "{^LN-BEG}"
// for those at the beginning of a line, "...{DATE}..." for each of them in its place.
[[nodiscard]] std::expected<std::vector<DateTemplate>, RegexError>
templates_of(std::string_view pattern);

} // namespace sallyport::jail
