// SPDX-License-Identifier: Apache-2.0
#include "jail/date_template.h"

#include "jail/date_directives.h"
#include "jail/ini.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace sallyport::jail {

namespace {

enum class Begin : std::uint8_t { nowhere, word, line };
struct Bounds {
    Begin begin = Begin::word;
    bool word_end = true;
};

constexpr std::string_view kLineBegin = "{^LN-BEG}";
constexpr std::string_view kUnbound = "{UNB}";

bool matches(const char* pattern, std::string_view text) {
    std::expected<Regex, RegexError> regex = Regex::compile(pattern);
    return regex && regex->search(text) == Search::found;
}

std::string upper(std::string_view text) {
    std::string made(text);
    for (char& c : made) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return made;
}

// Has it a group of its own, whose text is the date?
bool has_group(std::string_view regex) {
    for (std::size_t at = 0; at < regex.size(); ++at) {
        if (regex[at] == '\\') {
            ++at;
        } else if (regex[at] == '(' && regex.substr(at, 2) != "(?" &&
                   !(at >= 2 && regex.substr(at - 2, 2) == "(?")) {
            return true;
        }
    }
    return false;
}

// The whole as group 1, but for what ties it to an end of the line.
std::string grouped(std::string regex) {
    const bool begins = regex.starts_with('^');
    const bool ends = regex.ends_with('$');
    return (begins ? "^(" : "(") + regex.substr(begins ? 1 : 0, regex.size() - begins - ends) +
           (ends ? ")$" : ")");
}

// "**" at an end: no bound wanted there.
void strip_stars(std::string& regex) {
    const std::size_t first = regex.find_first_not_of('(');
    if (first != std::string::npos && regex.compare(first, 2, "**") == 0) regex.erase(first, 2);
    const std::size_t last = regex.find_last_not_of(')');
    if (last != std::string::npos && last >= 1 && regex.compare(last - 1, 2, "**") == 0 &&
        (last < 2 || regex[last - 2] != '\\'))
        regex.erase(last - 1, 2);
}

// Ties the date to words or the line as fail2ban does, then compiles it.
std::expected<DateTemplate, RegexError>
bound(std::string name, DateKind kind, std::string_view pattern, Bounds bounds, bool any_case) {
    std::string regex(trimmed(pattern));
    const bool begins =
        bounds.begin != Begin::nowhere && !matches(R"(^\(*(?:\^|\(*\*\*|\((?:\?:)?\^))", regex);
    const bool ends = bounds.word_end && !matches(R"((?<!\\)(?:\$\)?|\\b|\\s|\*\*\)*)$)", regex);
    if (!has_group(regex)) regex = grouped(std::move(regex));
    const bool anchored = (begins && bounds.begin == Begin::line) ||
                          matches(R"(^(?:\^|\((?:\?:)?\^(?!\|)))", regex) ||
                          (!ends && matches(R"((?<![\\\|])(?:\$\)?)$)", regex));
    if (begins && bounds.begin == Begin::word) regex = R"((?=^|\b|\W))" + regex;
    if (begins && bounds.begin == Begin::line) {
        regex = R"(^(?:\W{0,2})?)" + regex;
        if (!name.starts_with(kLineBegin)) name = std::string(kLineBegin) + name;
    }
    if (ends) regex += R"((?=\b|\W|$))";
    strip_stars(regex);
    if (any_case) regex = "(?i)" + regex;
    std::expected<Regex, RegexError> compiled = Regex::compile(regex);
    if (!compiled) return std::unexpected(compiled.error());
    return DateTemplate{.name = std::move(name),
                        .kind = kind,
                        .value_group = 1,
                        .is_anchored = anchored,
                        .weight = 1,
                        .regex = std::move(*compiled)};
}

const char* epoch_digits(bool is_long) {
    return is_long ? R"(\d{10,11}(?:\d{3}(?:\.\d{1,6}|\d{3})?)?)" : R"(\d{10,11}\b(?:\.\d{3,6})?)";
}

std::expected<DateTemplate, RegexError> plain_epoch(bool is_long, bool at_begin) {
    const DateKind kind = is_long ? DateKind::long_epoch : DateKind::epoch;
    const std::string digits = epoch_digits(is_long);
    const std::string name = is_long ? "LongEpoch" : "Epoch";
    if (at_begin)
        return bound(name, kind, R"(((?P<square>(?<=^\[))?)" + digits + R"()(?(square)(?=\])))",
                     {Begin::line, true}, false);
    return bound(name, kind,
                 R"(((?:^|(?P<square>(?<=^\[))|(?P<selinux>(?<=\baudit\())))" + digits +
                     R"()(?:(?(selinux)(?=:\d+\)))|(?(square)(?=\]))))",
                 {Begin::nowhere, true}, false);
}

std::expected<DateTemplate, RegexError> epoch_within(std::string pattern, std::size_t at,
                                                     bool is_long) {
    const std::string name = pattern;
    pattern.replace(at, is_long ? 8 : 7, std::string("(") + epoch_digits(is_long) + ")");
    Bounds bounds;
    if (pattern.starts_with(kUnbound)) {
        pattern.erase(0, kUnbound.size());
        bounds = {Begin::nowhere, false};
    } else if (pattern.starts_with(kLineBegin)) {
        pattern.erase(0, kLineBegin.size());
        bounds.begin = Begin::line;
    }
    std::expected<DateTemplate, RegexError> made = bound(
        name, is_long ? DateKind::long_epoch : DateKind::epoch, "(" + pattern + ")", bounds, false);
    if (made) made->value_group = 2;
    return made;
}

// As fail2ban tries them, in this order.
constexpr std::array<std::string_view, 17> kDefaults = {
    R"(%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\s*%z)?)",
    R"((?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"((?:%a )?%b %d %ExY %k:%M:%S(?:\.%f)?)",
    R"(%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S)",
    R"(%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\.%f)?(?: %z)?)",
    R"(%m/%d/%ExY:%H:%M:%S)",
    R"(%m-%d-%ExY %k:%M:%S(?:\.%f)?)",
    R"(EPOCH)",
    R"({^LN-BEG}%H:%M:%S)",
    R"(^<%m/%d/%Exy@%H:%M:%S>)",
    R"(%Exy%Exm%Exd  ?%H:%M:%S)",
    R"(%b %d, %ExY %I:%M:%S %p)",
    R"(^%b-%d-%Exy %k:%M:%S)",
    R"(%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\s*%z)?)",
    R"((?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"((?:%z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?)",
    R"(TAI64N)",
};

using Templates = std::vector<DateTemplate>;

std::expected<Templates, RegexError> defaults(bool only_anchored) {
    Templates anchored;
    Templates rest;
    for (const std::string_view pattern : kDefaults) {
        const bool is_free = !pattern.starts_with(kLineBegin) && !pattern.starts_with('^');
        std::expected<DateTemplate, RegexError> made = make_date_template(pattern);
        if (!made) return std::unexpected(made.error());
        if (is_free) {
            std::expected<DateTemplate, RegexError> at_begin =
                make_date_template(std::string(kLineBegin) + std::string(pattern));
            if (!at_begin) return std::unexpected(at_begin.error());
            at_begin->weight = 100;
            anchored.push_back(std::move(*at_begin));
        }
        if (!only_anchored || made->is_anchored) rest.push_back(std::move(*made));
    }
    std::ranges::move(rest, std::back_inserter(anchored));
    return anchored;
}

// Without what ties a default pattern to its surroundings.
std::string unbound(std::string_view pattern) {
    for (const std::string_view head : {kUnbound, kLineBegin})
        if (pattern.starts_with(head)) pattern.remove_prefix(head.size());
    return std::string(pattern);
}

} // namespace

std::expected<DateTemplate, RegexError> make_date_template(std::string_view pattern) {
    const std::string key = pattern.contains('%') ? std::string(pattern) : upper(pattern);
    const std::string all(pattern);
    for (const bool is_long : {true, false})
        if (const std::size_t at = upper(all).find(is_long ? "{LEPOCH}" : "{EPOCH}");
            at != std::string::npos && (at == 0 || all[at - 1] != '\\'))
            return epoch_within(all, at, is_long);
    const std::string bare = unbound(key.starts_with('^') ? key.substr(1) : key);
    const bool at_begin = bare != key;
    if (bare == "EPOCH" || bare == "LEPOCH") return plain_epoch(bare == "LEPOCH", at_begin);
    if (bare == "TAI64N")
        return bound("TAI64N", DateKind::tai64n, "@[0-9a-f]{24}",
                     {at_begin ? Begin::line : Begin::nowhere, true}, false);
    Bounds bounds;
    std::string_view rest = key == "{NONE}" ? std::string_view("{UNB}^") : pattern;
    if (rest.starts_with(kUnbound)) {
        rest.remove_prefix(kUnbound.size());
        bounds = {Begin::nowhere, false};
    } else if (rest.starts_with(kLineBegin)) {
        rest.remove_prefix(kLineBegin.size());
        bounds.begin = Begin::line;
    }
    std::expected<std::string, RegexError> regex = expand_directives(rest);
    if (!regex) return std::unexpected(regex.error());
    return bound(key, DateKind::fields, *regex, bounds, has_letters(rest));
}

std::expected<Templates, RegexError> templates_of(std::string_view pattern) {
    const std::string key = upper(pattern);
    if (key == kLineBegin) return defaults(true);
    if (key == "{DEFAULT}") return defaults(false);
    Templates made;
    const std::size_t at = key.find("{DATE}");
    const auto add = [&](std::string_view one) -> std::expected<void, RegexError> {
        std::expected<DateTemplate, RegexError> found = make_date_template(one);
        if (!found) return std::unexpected(found.error());
        made.push_back(std::move(*found));
        return {};
    };
    if (at == std::string::npos) {
        if (const std::expected<void, RegexError> done = add(pattern); !done)
            return std::unexpected(done.error());
        return made;
    }
    for (const std::string_view one : kDefaults) {
        if (one == "TAI64N") continue;
        std::string whole(pattern);
        whole.replace(at, 6, one == "EPOCH" ? "{EPOCH}" : unbound(one));
        if (const std::expected<void, RegexError> done = add(whole); !done)
            return std::unexpected(done.error());
    }
    return made;
}

} // namespace sallyport::jail
