// SPDX-License-Identifier: Apache-2.0
#include "top/view.h"

#include <algorithm>
#include <optional>

namespace sallyport::top {
namespace {

constexpr std::size_t kFilterMost = 60;
constexpr char kEscape = '\x1b';

struct Sequence {
    std::string_view bytes; // after ESC
    Key key;
};
constexpr Sequence kSequences[] = {
    {"[A", Key::up},       {"OA", Key::up},         {"[B", Key::down}, {"OB", Key::down},
    {"[5~", Key::page_up}, {"[6~", Key::page_down}, {"[H", Key::home}, {"OH", Key::home},
    {"[1~", Key::home},    {"[F", Key::end},        {"OF", Key::end},  {"[4~", Key::end},
    {"[Z", Key::back_tab},
};

// Where the sequence that begins after ESC ends; nullopt: more of it is to come.
std::optional<std::size_t> end_of_sequence(std::string_view bytes) {
    if (bytes.empty()) return std::nullopt;
    if (bytes[0] == 'O') return bytes.size() < 2 ? std::nullopt : std::optional<std::size_t>(2);
    if (bytes[0] != '[') return 0; // Escape itself, and then another key
    for (std::size_t at = 1; at < bytes.size(); ++at)
        if (bytes[at] >= '@' && bytes[at] <= '~') return at + 1;
    // No terminal sends one as long as this: somebody pasted it.
    return bytes.size() > 16 ? std::optional(bytes.size()) : std::nullopt;
}

KeyPress press_of(char byte) {
    switch (byte) {
    case '\r':
    case '\n':
        return {.key = Key::enter};
    case '\t':
        return {.key = Key::tab};
    case '\b':
    case '\x7f':
        return {.key = Key::backspace};
    default:
        if (byte >= ' ' && byte <= '~') return {.key = Key::character, .character = byte};
        return {.key = Key::other};
    }
}

KeyPress press_of(std::string_view sequence) {
    for (const Sequence& known : kSequences)
        if (known.bytes == sequence) return {.key = known.key};
    return {.key = Key::other};
}

Panel panel_after(Panel panel, int step) {
    constexpr int all = static_cast<int>(kPanels);
    return static_cast<Panel>((static_cast<int>(panel) + step + all) % all);
}

void show(View& view, Panel panel) {
    view.panel = panel;
    view.first = 0;
}

void type(View& view, const KeyPress& press) {
    view.first = 0;
    switch (press.key) {
    case Key::character:
        if (view.filter.size() < kFilterMost) view.filter += press.character;
        break;
    case Key::backspace:
        if (!view.filter.empty()) view.filter.pop_back();
        break;
    case Key::escape:
        view.filter.clear();
        view.is_typing = false;
        break;
    case Key::enter:
        view.is_typing = false;
        break;
    default:
        break;
    }
}

void act_on_character(View& view, char character) {
    switch (character) {
    case 'q':
        view.has_ended = true;
        break;
    case '?':
    case 'h':
        view.shows_help = true;
        break;
    case 'p':
    case ' ':
        view.is_paused = !view.is_paused;
        break;
    case '/':
        view.is_typing = true;
        break;
    case 's':
        view.sort = static_cast<Sort>((static_cast<unsigned>(view.sort) + 1) % 4);
        view.first = 0;
        break;
    case 'r':
        view.is_reversed = !view.is_reversed;
        view.first = 0;
        break;
    case 'k':
        act(view, {.key = Key::up});
        break;
    case 'j':
        act(view, {.key = Key::down});
        break;
    default:
        if (character >= '0' && character < static_cast<char>('0' + kPanels))
            show(view, static_cast<Panel>(character - '0'));
    }
}

} // namespace

std::string_view to_string(Sort sort) {
    switch (sort) {
    case Sort::rate:
        return "rate";
    case Sort::total:
        return "total";
    case Sort::name:
        return "name";
    case Sort::last:
        return "last";
    }
    return "?";
}

std::vector<KeyPress> KeyReader::take(std::string_view bytes) {
    held_ += bytes;
    std::vector<KeyPress> presses;
    std::string_view rest = held_;
    while (!rest.empty()) {
        if (rest[0] != kEscape) {
            presses.push_back(press_of(rest[0]));
            rest.remove_prefix(1);
            continue;
        }
        const auto end = end_of_sequence(rest.substr(1));
        if (!end) break;
        presses.push_back(*end == 0 ? KeyPress{.key = Key::escape}
                                    : press_of(rest.substr(1, *end)));
        rest.remove_prefix(1 + *end);
    }
    held_ = std::string(rest);
    return presses;
}

std::vector<KeyPress> KeyReader::give_up() {
    const std::string rest = held_.empty() ? "" : held_.substr(1);
    std::vector<KeyPress> presses;
    if (!held_.empty()) presses.push_back({.key = Key::escape});
    held_.clear();
    for (const char byte : rest) presses.push_back(press_of(byte));
    return presses;
}

void act(View& view, const KeyPress& press) {
    if (view.shows_help) {
        // Any key leaves it; q leaves all.
        view.shows_help = false;
        if (press.key == Key::character && press.character == 'q') view.has_ended = true;
        return;
    }
    if (view.is_typing) return type(view, press);
    const std::size_t page = std::max<std::size_t>(view.page, 1);
    switch (press.key) {
    case Key::character:
        return act_on_character(view, press.character);
    case Key::escape:
        if (!view.filter.empty())
            view.filter.clear();
        else
            show(view, Panel::overview);
        break;
    case Key::tab:
        return show(view, panel_after(view.panel, 1));
    case Key::back_tab:
        return show(view, panel_after(view.panel, -1));
    case Key::up:
        view.first -= std::min<std::size_t>(view.first, 1);
        break;
    case Key::down:
        ++view.first;
        break;
    case Key::page_up:
        view.first -= std::min(view.first, page);
        break;
    case Key::page_down:
        view.first += page;
        break;
    case Key::home:
        view.first = 0;
        break;
    case Key::end:
        view.first = static_cast<std::size_t>(-1) / 2;
        break;
    case Key::enter:
    case Key::backspace:
    case Key::other:
        break;
    }
}

} // namespace sallyport::top
