// SPDX-License-Identifier: Apache-2.0
#pragma once
// A line of the screen: never wider than it was made, whatever is written on it.
#include "event/text.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace sallyport::top {

enum class Style : std::uint8_t { plain, dim, strong, title, good, warn, alarm };

// What the terminal can, and whose clock is shown.
struct Look {
    Colour colour = Colour::never; // never: no escape sequence in any line
    bool has_blocks = false;       // U+2581 to U+2588; else ASCII alone
    Zone zone = Zone::local;
};

class Line {
  public:
    Line(std::size_t width, const Look& look) : width_(width), look_(look) {}
    // What is not printable ASCII becomes an escape or '?', so that a character is a column. What
    // has no room is left out, "~" at its end.
    Line& add(std::string_view text, Style style = Style::plain);
    // Cut to so many columns, and blanks up to them.
    Line& left(std::string_view text, std::size_t columns, Style style = Style::plain);
    Line& right(std::string_view text, std::size_t columns, Style style = Style::plain);
    // The latest of `values`, one a column, as high as they are against the highest shown.
    Line& spark(const std::deque<double>& values, std::size_t columns, Style style);
    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t room() const { return width_ - used_; }
    // Blanks up to the width.
    Line& fill(Style style = Style::plain);
    // What was written; the line is not to be used any more.
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    void put(std::string_view bytes, std::size_t columns, Style style);

    std::size_t width_;
    Look look_;
    std::size_t used_ = 0;
    std::string text_;
};

// "0", "3.4", "123", "12.3k", "4.5M": six columns at most.
[[nodiscard]] std::string short_number(double number);
[[nodiscard]] std::string short_count(std::uint64_t count); // the same of what has no halves

} // namespace sallyport::top
