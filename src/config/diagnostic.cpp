// SPDX-License-Identifier: Apache-2.0
// A finding as text. The caret stands under the column whatever precedes it:
// tabs are repeated, escapes and wide bytes counted as they are shown.
#include "config/diagnostic.h"

#include "base/text.h"

#include <algorithm>

namespace sallyport {

namespace {

constexpr std::size_t kWindow = 160; // bytes of a line that are shown at most

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// The next place from `at` on where a character begins, three bytes on at most.
std::size_t boundary(std::string_view line, std::size_t at) {
    for (int i = 0; i < 3 && at < line.size() && is_continuation(line[at]); ++i) ++at;
    return at;
}

// How many columns of a terminal the text takes, wide characters taken for one.
std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

// The line, and under it the caret at that byte.
std::string line_and_caret(std::string_view line, std::size_t caret) {
    std::string shown = "    ";
    std::string under = "    ";
    for (std::size_t at = 0; at < line.size();) {
        const Character character = character_at(line, at);
        const std::string text = escaped(character, Tabs::keep);
        at += character.bytes.size();
        shown += text;
        if (at <= caret) under += text == "\t" ? "\t" : std::string(columns(text), ' ');
    }
    return shown + "\n" + under + "^\n";
}

} // namespace

Diagnostic with_source(Diagnostic diagnostic, std::string_view line) {
    if (line.size() <= kWindow) {
        diagnostic.source = line;
        diagnostic.caret = diagnostic.column;
        return diagnostic;
    }
    const std::size_t column =
        std::min<std::size_t>(std::max(diagnostic.column, 1u) - 1, line.size());
    const std::size_t half = kWindow / 2;
    const std::size_t begin =
        column > half ? boundary(line, std::min(column - half, line.size() - kWindow)) : 0;
    const std::size_t end = boundary(line, std::min(begin + kWindow, line.size()));
    const std::string lead = begin > 0 ? "..." : "";
    diagnostic.source = lead + std::string(line.substr(begin, end - begin));
    if (end < line.size()) diagnostic.source += "...";
    diagnostic.caret = static_cast<unsigned>(lead.size() + column - begin + 1);
    return diagnostic;
}

std::string to_text(const Diagnostic& diagnostic) {
    std::string text = escaped(diagnostic.file) + ":";
    if (diagnostic.line > 0) {
        text += std::to_string(diagnostic.line) + ":";
        if (diagnostic.column > 0) text += std::to_string(diagnostic.column) + ":";
    }
    text += diagnostic.severity == Severity::error ? " error: " : " warning: ";
    text += escaped(diagnostic.message) + "\n";
    const unsigned caret = diagnostic.caret > 0 ? diagnostic.caret : diagnostic.column;
    if (diagnostic.line > 0 && caret > 0)
        text += line_and_caret(diagnostic.source,
                               std::min<std::size_t>(caret - 1, diagnostic.source.size()));
    if (!diagnostic.hint.empty()) text += "    hint: " + escaped(diagnostic.hint) + "\n";
    return text;
}

} // namespace sallyport
