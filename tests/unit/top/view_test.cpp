// SPDX-License-Identifier: Apache-2.0
// Bytes to keys, and keys to what is shown.
#include "top/view.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport::top;

namespace {

std::vector<Key> keys_of(std::string_view bytes) {
    KeyReader reader;
    std::vector<Key> keys;
    for (const KeyPress& press : reader.take(bytes)) keys.push_back(press.key);
    CHECK_FALSE(reader.is_waiting());
    return keys;
}

void type(View& view, std::string_view bytes) {
    KeyReader reader;
    for (const KeyPress& press : reader.take(bytes)) act(view, press);
    for (const KeyPress& press : reader.give_up()) act(view, press);
}

} // namespace

TEST_CASE("a terminal's sequences are keys, and what is none of them is no key of ours") {
    CHECK(keys_of("a\r\t\x7f\b") ==
          std::vector{Key::character, Key::enter, Key::tab, Key::backspace, Key::backspace});
    CHECK(keys_of("\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[Z") ==
          std::vector{Key::up, Key::down, Key::page_up, Key::page_down, Key::home, Key::end,
                      Key::back_tab});
    CHECK(keys_of("\x1b[15;5~\x01\xc3\xa4") ==
          std::vector{Key::other, Key::other, Key::other, Key::other});
}

TEST_CASE("a sequence in pieces is one key, and an escape alone is the key of that name") {
    KeyReader reader;
    CHECK(reader.take("\x1b").empty());
    CHECK(reader.take("[").empty());
    CHECK(reader.is_waiting());
    CHECK(reader.take("B") == std::vector{KeyPress{.key = Key::down}});
    CHECK(reader.take("\x1b").empty());
    CHECK(reader.give_up() == std::vector{KeyPress{.key = Key::escape}});
    CHECK_FALSE(reader.is_waiting());
    CHECK(reader.take("\x1bq") == std::vector{KeyPress{.key = Key::escape},
                                              KeyPress{.key = Key::character, .character = 'q'}});
}

TEST_CASE("a sequence without an end holds nothing up") {
    KeyReader reader;
    CHECK(reader.take("\x1b[" + std::string(30, '1')).size() == 1);
    CHECK_FALSE(reader.is_waiting());
}

TEST_CASE("digits and Tab choose a panel, and every panel has a digit") {
    View view;
    type(view, "3");
    CHECK(view.panel == Panel::rules);
    type(view, "\t\t\t");
    CHECK(view.panel == Panel::reasons);
    type(view, "\t");
    CHECK(view.panel == Panel::overview);
    type(view, "\x1b[Z");
    CHECK(view.panel == Panel::reasons);
    type(view, "9");
    CHECK(view.panel == Panel::reasons);
    type(view, "\x1b");
    CHECK(view.panel == Panel::overview);
}

TEST_CASE("a filter takes letters that are keys elsewhere, and can be mended, kept and cleared") {
    View view;
    type(view, "/q?s\x7f");
    CHECK((view.filter == "q?" && view.is_typing && !view.has_ended));
    type(view, "\r");
    CHECK((view.filter == "q?" && !view.is_typing));
    type(view, "\x1b");
    CHECK(view.filter.empty());
    type(view, "/abc\x1b");
    CHECK((view.filter.empty() && !view.is_typing));
    type(view, "/" + std::string(500, 'a'));
    CHECK(view.filter.size() == 60);
}

TEST_CASE("sorting goes round, and can be turned") {
    View view;
    type(view, "s");
    CHECK(view.sort == Sort::total);
    type(view, "sss");
    CHECK(view.sort == Sort::rate);
    type(view, "r");
    CHECK(view.is_reversed);
}

TEST_CASE("scrolling stays at the top, and goes by the page that was shown") {
    View view;
    type(view, "1kk");
    CHECK(view.first == 0);
    view.page = 10;
    type(view, "j\x1b[6~");
    CHECK(view.first == 11);
    type(view, "\x1b[5~\x1b[5~");
    CHECK(view.first == 0);
    type(view, "j2");
    CHECK(view.first == 0);
}

TEST_CASE("any key leaves the help, and q leaves all of it") {
    View view;
    type(view, "?");
    CHECK(view.shows_help);
    type(view, "s");
    CHECK((!view.shows_help && view.sort == Sort::rate));
    type(view, "?q");
    CHECK(view.has_ended);
}

TEST_CASE("a pause is begun and ended by the same key") {
    View view;
    type(view, "p");
    CHECK(view.is_paused);
    type(view, " ");
    CHECK_FALSE(view.is_paused);
}
