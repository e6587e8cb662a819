// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text that came from elsewhere, made fit for a terminal, and names that were
// meant.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// One character of text: its bytes, and its code point, none when they are not UTF-8.
struct Character {
    std::string_view bytes; // at least one
    std::optional<char32_t> code;
};
// The character that begins at `at`, which must be below text.size(). A byte that
// begins none is a character of its own.
[[nodiscard]] Character character_at(std::string_view text, std::size_t at);

enum class Tabs : std::uint8_t { escape, keep };

// Control characters (C0, C1, DEL), the invisible ones that reorder or split text,
// and bytes that are not UTF-8 become \x1b, \u{202e} and \xff. All else stays.
[[nodiscard]] std::string escaped(std::string_view text, Tabs tabs = Tabs::escape);
// The same for one character.
[[nodiscard]] std::string escaped(const Character& character, Tabs tabs);
// The same of several lines: newlines stay.
[[nodiscard]] std::string escaped_lines(std::string_view text);
// The first `most` bytes, or a little less for the sake of whole characters, and "..." where
// something was left out.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);
// escaped(), cut to `most` bytes between characters, "..." then: a line of a comment or of output.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t most = 160);
// Is there nothing in `text` that escaped() would change?
[[nodiscard]] bool is_printable(std::string_view text);

// Insertions, deletions, replacements and swaps of neighbours that make b of a, in bytes.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate that was most likely meant, the first of equals; empty when none is
// near. Letter case, '-' and '_' count as nothing.
[[nodiscard]] std::string nearest(std::string_view name, std::span<const std::string> candidates);

} // namespace sallyport
