// SPDX-License-Identifier: Apache-2.0
#include "jail/date_directives.h"

#include <array>
#include <optional>
#include <utility>

namespace sallyport::jail {

namespace {

// Longer names first. Names of days and months are those of the C locale.
constexpr std::array<std::pair<std::string_view, std::string_view>, 39> kDirectives = {{
    {"ExY", R"((?P<Y>20\d{2}))"},
    {"Exy", R"((?P<y>\d{2}))"},
    {"Exd", R"((?P<d>[1-2]\d|0[1-9]|3[0-1]))"},
    {"Exm", R"((?P<m>0[1-9]|1[0-2]))"},
    {"ExH", R"((?P<H>[0-1]\d|2[0-3]))"},
    {"Exk", R"( ?(?P<H>[0-1]?\d|2[0-3]))"},
    {"Exl", R"( ?(?P<I>1[0-2]|\d))"},
    {"ExM", R"((?P<M>[0-5]\d))"},
    {"ExS", R"((?P<S>[0-5]\d|6[0-1]))"},
    {"ExZ", R"((?P<Z>[A-Z](?:[A-Z]{2,4})?))"},
    {"Exz", R"((?P<z>(?:[A-Z](?:[A-Z]{2,4})?)?[+-][01]\d(?::?\d{2})?|[A-Z](?:[A-Z]{2,4})?))"},
    {"a", R"((?P<a>mon|tue|wed|thu|fri|sat|sun))"},
    {"A", R"((?P<A>wednesday|thursday|saturday|tuesday|monday|friday|sunday))"},
    {"b", R"((?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"},
    {"B",
     R"((?P<B>september|february|november|december|january|october|august|march|april|june|july|may))"},
    {"c", "%a %b %d %H:%M:%S %Y"},
    {"x", "%m/%d/%y"},
    {"X", "%H:%M:%S"},
    {"d", R"((?P<d>[1-2]\d|[0 ]?[1-9]|3[0-1]))"},
    {"e", R"((?P<d>[1-2]\d|[0 ]?[1-9]|3[0-1]))"},
    {"f", R"((?P<f>[0-9]{1,6}))"},
    {"H", R"((?P<H>[0-1]?\d|2[0-3]))"},
    {"I", R"((?P<I>1[0-2]|0[1-9]|[1-9]))"},
    {"j", R"((?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9]))"},
    {"k", R"( ?(?P<H>[0-2]?\d))"},
    {"l", R"( ?(?P<I>1?\d))"},
    {"m", R"((?P<m>0?[1-9]|1[0-2]))"},
    {"M", R"((?P<M>[0-5]?\d))"},
    {"p", R"((?P<p>am|pm))"},
    {"S", R"((?P<S>[0-5]?\d|6[0-1]))"},
    {"u", R"((?P<u>[1-7]))"},
    {"U", R"((?P<U>5[0-3]|[0-4]\d|\d))"},
    {"V", R"((?P<V>5[0-3]|0[1-9]|[1-4]\d|\d))"},
    {"w", R"((?P<w>[0-6]))"},
    {"W", R"((?P<W>5[0-3]|[0-4]\d|\d))"},
    {"y", R"((?P<y>\d\d))"},
    {"Y", R"((?P<Y>\d{4}))"},
    {"z", R"((?P<z>Z|UTC|GMT|[+-][01]\d(?::?\d{2})?))"},
    {"Z", R"((?P<Z>Z|[A-Z]{3,5}))"},
}};

} // namespace

std::expected<std::string, RegexError> expand_directives(std::string_view pattern) {
    std::string made;
    for (std::size_t at = 0; at < pattern.size();) {
        if (pattern[at] != '%') {
            made += pattern[at++];
            continue;
        }
        const std::string_view rest = pattern.substr(at + 1);
        if (rest.starts_with('%')) {
            made += '%';
            at += 2;
            continue;
        }
        std::optional<std::pair<std::string_view, std::string_view>> found;
        for (const auto& directive : kDirectives)
            if (!found && rest.starts_with(directive.first)) found = directive;
        if (!found)
            return std::unexpected(RegexError{at, "unknown date directive %" +
                                                      std::string(rest.substr(0, 1)) +
                                                      "; a percent sign is written %%"});
        const bool is_composed = found->second.starts_with('%');
        made += is_composed ? *expand_directives(found->second) : std::string(found->second);
        at += 1 + found->first.size();
    }
    return made;
}

bool has_letters(std::string_view pattern) {
    for (std::size_t at = pattern.find('%');
         at != std::string_view::npos && at + 1 < pattern.size(); at = pattern.find('%', at + 2))
        if (std::string_view("aAbBpc").contains(pattern[at + 1])) return true;
    return false;
}

} // namespace sallyport::jail
