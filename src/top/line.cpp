// SPDX-License-Identifier: Apache-2.0
#include "top/line.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sallyport::top {
namespace {

std::string_view paint_of(Style style) {
    switch (style) {
    case Style::plain:
        return "";
    case Style::dim:
        return "\033[2m";
    case Style::strong:
        return "\033[1m";
    case Style::title:
        return "\033[7m";
    case Style::good:
        return "\033[32m";
    case Style::warn:
        return "\033[33m";
    case Style::alarm:
        return "\033[1;31m";
    }
    return "";
}

std::string ascii(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const Character character = character_at(text, at);
        const std::string shown = escaped(character, Tabs::escape);
        const bool is_ascii =
            std::ranges::all_of(shown, [](char c) { return c >= ' ' && c <= '~'; });
        out += is_ascii ? shown : "?";
        at += character.bytes.size();
    }
    return out;
}

std::string cut(std::string text, std::size_t columns) {
    if (text.size() <= columns) return text;
    text.resize(columns);
    if (columns > 1) text.back() = '~';
    return text;
}

constexpr std::array<std::string_view, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 9> kMarks = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};

} // namespace

void Line::put(std::string_view bytes, std::size_t columns, Style style) {
    if (columns == 0) return;
    const std::string_view paint = look_.colour == Colour::always ? paint_of(style) : "";
    text_ += paint;
    text_ += bytes;
    if (!paint.empty()) text_ += "\033[0m";
    used_ += columns;
}

Line& Line::add(std::string_view text, Style style) {
    const std::string shown = cut(ascii(text), room());
    put(shown, shown.size(), style);
    return *this;
}

Line& Line::left(std::string_view text, std::size_t columns, Style style) {
    const std::size_t wide = std::min(columns, room());
    const std::string shown = cut(ascii(text), wide);
    put(shown, shown.size(), style);
    put(std::string(wide - shown.size(), ' '), wide - shown.size(), Style::plain);
    return *this;
}

Line& Line::right(std::string_view text, std::size_t columns, Style style) {
    const std::size_t wide = std::min(columns, room());
    const std::string shown = cut(ascii(text), wide);
    put(std::string(wide - shown.size(), ' '), wide - shown.size(), Style::plain);
    put(shown, shown.size(), style);
    return *this;
}

Line& Line::spark(const std::deque<double>& values, std::size_t columns, Style style) {
    const std::size_t wide = std::min(columns, room());
    const std::size_t count = std::min(wide, values.size());
    const auto first = values.end() - static_cast<std::ptrdiff_t>(count);
    const double most = count == 0 ? 0 : *std::max_element(first, values.end());
    const auto& steps = look_.has_blocks ? kBlocks : kMarks;
    std::string drawn(wide - count, ' ');
    for (auto value = first; value != values.end(); ++value) {
        // What is not nothing is seen.
        const auto step = *value <= 0 || most <= 0
                              ? std::size_t{0}
                              : 1 + static_cast<std::size_t>(*value / most * 7.0);
        drawn += steps[std::min(step, steps.size() - 1)];
    }
    put(drawn, wide, style);
    return *this;
}

Line& Line::fill(Style style) {
    put(std::string(room(), ' '), room(), style);
    return *this;
}

std::string short_number(double number) {
    if (number < 0.05) return "0";
    if (number < 9.95) return fmt::format("{:.1f}", number);
    if (number < 999.5) return fmt::format("{:.0f}", number);
    for (const char unit : {'k', 'M', 'G'}) {
        number /= 1000;
        if (number < 99.95) return fmt::format("{:.1f}{}", number, unit);
        if (number < 999.5) return fmt::format("{:.0f}{}", number, unit);
    }
    return number < 9e5 ? fmt::format("{:.0f}T", number / 1000) : "much";
}

std::string short_count(std::uint64_t count) {
    return count < 1000 ? fmt::to_string(count) : short_number(static_cast<double>(count));
}

} // namespace sallyport::top
