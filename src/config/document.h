// SPDX-License-Identifier: Apache-2.0
#pragma once
// A TOML document as a tree that knows where each part stands. Only
// document.cpp knows the library that reads it.
#include "config/findings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

enum class ValueKind : std::uint8_t { string, integer, fraction, boolean, time, list, table };

struct Entry;

struct Value {
    ValueKind kind = ValueKind::table;
    Place place;                // of its first character; of a table, its header or brace
    std::string text;           // string
    std::int64_t number = 0;    // integer; 1 or 0 for a boolean
    std::vector<Value> items;   // list
    std::vector<Entry> entries; // table; in no particular order

    [[nodiscard]] const Entry* find(std::string_view key) const; // null when there is none
};

struct Entry {
    std::string key;
    Place place; // of the key
    Value value;
};

// "a string", "a table", ... for messages.
[[nodiscard]] const char* kind_name(ValueKind kind);

// Nothing when the text is not TOML; the reason is among the findings then. Keys
// that are defined twice are findings too, and the rest is read in spite of them.
[[nodiscard]] std::optional<Value> read_toml(std::string_view text, Findings& findings);

} // namespace sallyport::config
