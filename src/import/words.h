// SPDX-License-Identifier: Apache-2.0
#pragma once
// A line of a file that a shell might have written, as words.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::imported {

struct Line {
    unsigned number = 0; // from 1
    std::string_view text;
};
// Without line ends, Windows' too. The text must outlive them.
[[nodiscard]] std::vector<Line> lines_of(std::string_view text);

// Split at blanks; in quotes a blank is text, and in double ones \ takes what follows as it is.
// None when a quote does not end.
[[nodiscard]] std::optional<std::vector<std::string>> words_of(std::string_view line);

// A whole number of decimal digits, or 0x and hexadecimal ones, of at most `most`.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t most);

// The parts between separators; "a,,b" has an empty one.
[[nodiscard]] std::vector<std::string> parts_of(std::string_view text, char separator);

} // namespace sallyport::imported
