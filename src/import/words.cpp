// SPDX-License-Identifier: Apache-2.0
#include "import/words.h"

#include <charconv>

namespace sallyport::imported {

std::vector<Line> lines_of(std::string_view text) {
    std::vector<Line> lines;
    unsigned number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back({.number = ++number, .text = line});
    }
    return lines;
}

std::optional<std::vector<std::string>> words_of(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool is_word = false;
    bool is_quoted = false;
    char quote = '"';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (is_quoted && quote == '"' && c == '\\' && i + 1 < line.size()) {
            word += line[++i];
        } else if (is_quoted ? c == quote : c == '"' || c == '\'') {
            is_quoted = !is_quoted;
            quote = c;
            is_word = true;
        } else if (!is_quoted && (c == ' ' || c == '\t')) {
            if (is_word) words.push_back(std::move(word));
            word.clear();
            is_word = false;
        } else {
            word += c;
            is_word = true;
        }
    }
    if (is_quoted) return std::nullopt;
    if (is_word) words.push_back(std::move(word));
    return words;
}

std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t most) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
        base = 16;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number, base);
    if (error != std::errc{} || end != text.end() || number > most) return std::nullopt;
    return number;
}

std::vector<std::string> parts_of(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

} // namespace sallyport::imported
