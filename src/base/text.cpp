// SPDX-License-Identifier: Apache-2.0
// Escapes for terminals, and "did you mean".
#include "base/text.h"

#include <algorithm>
#include <cstdio>

namespace sallyport {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<std::uint8_t>(text[at]);
}

// Characters that a terminal or an eye would take for something else: marks of
// direction (U+061C, U+200E..F, U+202A..E, U+2066..9), separators of lines and
// zero-width ones.
bool is_deceptive(char32_t c) {
    return c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

bool is_plain(const Character& character, Tabs tabs) {
    if (!character.code) return false;
    const char32_t c = *character.code;
    if (c == '\t') return tabs == Tabs::keep;
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !is_deceptive(c);
}

// How many slips of the finger a name of that length may hold.
std::size_t allowed_slips(std::size_t length) {
    if (length <= 2) return 0;
    if (length <= 4) return 1;
    return length <= 8 ? 2 : 3;
}

std::string folded(std::string_view name) {
    std::string text;
    for (const char c : name) {
        if (c == '-' || c == '_') continue;
        text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

} // namespace

Character character_at(std::string_view text, std::size_t at) {
    const std::uint8_t first = byte_at(text, at);
    const Character invalid{.bytes = text.substr(at, 1), .code = std::nullopt};
    if (first < 0x80) return {.bytes = text.substr(at, 1), .code = first};
    std::size_t length = 0;
    char32_t code = 0;
    char32_t least = 0; // an overlong form is none
    if (first >= 0xc2 && first < 0xe0) {
        length = 2, code = first & 0x1fu, least = 0x80;
    } else if (first >= 0xe0 && first < 0xf0) {
        length = 3, code = first & 0x0fu, least = 0x800;
    } else if (first >= 0xf0 && first < 0xf5) {
        length = 4, code = first & 0x07u, least = 0x10000;
    } else {
        return invalid;
    }
    if (text.size() - at < length) return invalid;
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t next = byte_at(text, at + i);
        if ((next & 0xc0) != 0x80) return invalid;
        code = code << 6 | (next & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return invalid;
    return {.bytes = text.substr(at, length), .code = code};
}

std::string escaped(const Character& character, Tabs tabs) {
    if (is_plain(character, tabs)) return std::string(character.bytes);
    char buffer[16];
    if (character.code && *character.code >= 0x80)
        std::snprintf(buffer, sizeof buffer, "\\u{%x}", static_cast<unsigned>(*character.code));
    else
        std::snprintf(buffer, sizeof buffer, "\\x%02x", byte_at(character.bytes, 0));
    return buffer;
}

std::string escaped(std::string_view text, Tabs tabs) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Character character = character_at(text, at);
        result += escaped(character, tabs);
        at += character.bytes.size();
    }
    return result;
}

std::string escaped_lines(std::string_view text) {
    std::string result;
    for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
        result += escaped(text.substr(0, end), Tabs::keep) + '\n';
        text.remove_prefix(end + 1);
    }
    return result + escaped(text, Tabs::keep);
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    std::size_t end = 0;
    for (std::size_t next = 0; next <= most; next += character_at(text, next).bytes.size())
        end = next;
    return std::string(text.substr(0, end)) + "...";
}

std::string one_line(std::string_view text, std::size_t most) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const Character character = character_at(text, at);
        const std::string shown = escaped(character, Tabs::escape);
        if (out.size() + shown.size() > most) return out + "...";
        out += shown;
        at += character.bytes.size();
    }
    return out;
}

bool is_printable(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Character character = character_at(text, at);
        if (!is_plain(character, Tabs::escape)) return false;
        at += character.bytes.size();
    }
    return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows of the usual table; the oldest is for swaps.
    std::vector<std::size_t> older(b.size() + 1);
    std::vector<std::size_t> old(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) old[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = old[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);
            row[j] = std::min({old[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], older[j - 2] + 1);
        }
        older.swap(old);
        old.swap(row);
    }
    return old[b.size()];
}

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
    constexpr std::size_t kLongest = 64; // nothing longer is a slip of the finger
    if (name.empty() || name.size() > kLongest) return {};
    const std::string wanted = folded(name);
    const std::string* best = nullptr;
    std::size_t best_distance = allowed_slips(name.size()) + 1;
    for (const std::string& candidate : candidates) {
        if (candidate.empty() || candidate.size() > kLongest || candidate == name) continue;
        const std::size_t distance = edit_distance(wanted, folded(candidate));
        if (distance < best_distance) {
            best = &candidate;
            best_distance = distance;
        }
    }
    return best == nullptr ? std::string() : *best;
}

} // namespace sallyport
