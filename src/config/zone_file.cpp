// SPDX-License-Identifier: Apache-2.0
// A file of networks, read in one pass: lists of a million lines are common.
#include "config/zone_file.h"

#include <cstring>

namespace sallyport::config {

namespace {

constexpr std::size_t kErrorsShown = 100;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

Diagnostic diagnosis(const std::string& file, std::string_view line, unsigned number,
                     std::string_view entry, const Error& error) {
    Diagnostic diagnostic{.severity = Severity::error,
                          .file = file,
                          .line = number,
                          .column = static_cast<unsigned>(entry.data() - line.data() + 1),
                          .message = error.message,
                          .hint = error.hint,
                          .source = {},
                          .caret = 0};
    return with_source(std::move(diagnostic), line);
}

std::string_view line_at(std::string_view text, std::size_t at) {
    const void* const newline = std::memchr(text.data() + at, '\n', text.size() - at);
    if (newline == nullptr) return text.substr(at);
    return text.substr(
        at, static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) - at);
}

} // namespace

ZoneFile parse_zone_file(std::string_view text, const std::string& file) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    constexpr std::size_t kTypicalLine = 15;
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    ZoneFile result;
    result.networks.reserve(text.size() / kTypicalLine);
    std::size_t errors = 0;
    unsigned number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view line = line_at(text, at);
        at += line.size() + 1;
        ++number;
        const std::string_view entry = trimmed(line.substr(0, line.find('#')));
        if (entry.empty()) continue;
        Result<Prefix> prefix = parse_prefix(entry);
        if (prefix)
            result.networks.push_back(*prefix);
        else if (++errors <= kErrorsShown)
            result.errors.push_back(diagnosis(file, line, number, entry, prefix.error()));
    }
    if (errors > kErrorsShown)
        result.errors.push_back(
            Diagnostic{.severity = Severity::error,
                       .file = file,
                       .line = 0,
                       .column = 0,
                       .message = "and " + std::to_string(errors - kErrorsShown) + " more errors",
                       .hint = {},
                       .source = {},
                       .caret = 0});
    return result;
}

} // namespace sallyport::config
