// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the user chose to see, and how keys change it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::top {

enum class Key : std::uint8_t {
    character,
    enter,
    escape,
    tab,
    back_tab,
    backspace,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    other, // one that means nothing here
};

struct KeyPress {
    Key key = Key::other;
    char character = 0; // printable ASCII, of Key::character
    bool operator==(const KeyPress&) const = default;
};

// Bytes of a terminal to keys (ECMA-48 sequences, as xterm and its likes send them).
class KeyReader {
  public:
    [[nodiscard]] std::vector<KeyPress> take(std::string_view bytes);
    // Bytes that may be the beginning of a sequence are held. Nothing followed for a while: they
    // were the key Escape.
    [[nodiscard]] bool is_waiting() const { return !held_.empty(); }
    [[nodiscard]] std::vector<KeyPress> give_up();

  private:
    std::string held_;
};

enum class Panel : std::uint8_t {
    overview,
    sources,
    destinations,
    rules,
    processes,
    attempts,
    reasons,
};
constexpr std::size_t kPanels = 7;

enum class Sort : std::uint8_t { rate, total, name, last };
[[nodiscard]] std::string_view to_string(Sort sort);

struct View {
    Panel panel = Panel::overview;
    Sort sort = Sort::rate;
    bool is_reversed = false;
    std::string filter;     // part of a name or a detail; letter case counts for nothing
    bool is_typing = false; // the filter
    bool is_paused = false;
    bool shows_help = false;
    std::size_t first = 0; // rows of a whole panel that are scrolled past
    std::size_t page = 1;  // rows that it showed last, set by who draws
    bool has_ended = false;
};

void act(View& view, const KeyPress& press);

} // namespace sallyport::top
