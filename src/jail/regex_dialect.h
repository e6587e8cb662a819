// SPDX-License-Identifier: Apache-2.0
#pragma once
// Python's regular expressions, as fail2ban's filters are written, in the words of
// PCRE2. Where both read a construct differently it is rewritten; what Python
// refuses (PCRE2's verbs, recursion, \K, ...) is refused here too, so that no filter
// means something that its author did not write.
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::jail {

struct RegexError {
    std::size_t at = 0; // byte in the pattern
    std::string message;
};

// A pattern in other words.
struct Translated {
    std::string text;
    std::vector<std::pair<std::size_t, std::size_t>> steps; // byte of text, byte of the pattern

    // Where in the pattern that byte of the text comes from.
    [[nodiscard]] std::size_t origin_of(std::size_t at) const;
};

[[nodiscard]] std::expected<Translated, RegexError> python_to_pcre2(std::string_view pattern);

} // namespace sallyport::jail
