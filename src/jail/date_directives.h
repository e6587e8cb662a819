// SPDX-License-Identifier: Apache-2.0
#pragma once
// strptime's directives as fail2ban knows them, as regular expressions whose groups
// are named after them.
#include "jail/regex_dialect.h"

#include <expected>
#include <string>
#include <string_view>

namespace sallyport::jail {

// "%Y-%m" as "(?P<Y>\d{4})-(?P<m>...)"; "%%" is a percent sign. A directive that is
// not known is an error.
[[nodiscard]] std::expected<std::string, RegexError> expand_directives(std::string_view pattern);
// Does it name days or months, which are found in any case?
[[nodiscard]] bool has_letters(std::string_view pattern);

} // namespace sallyport::jail
