// SPDX-License-Identifier: Apache-2.0
#include "jail/fail_regex.h"

#include "base/text.h"
#include "jail/ini.h"

#include <algorithm>
#include <set>

namespace sallyport::jail {

namespace {

// What the tags stand for, group names and all, is the contract with filters.
const std::string kIp4 = R"((?:::f{4,6}:)?(?P<ip4>(?:\d{1,3}\.){3}\d{1,3}))";
const std::string kIp6 = R"((?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)))";
const std::string kName = R"((?P<dns>[\w\-.^_]*\w))";
const std::string kLength = R"((?P<cidr>\d+))";
const std::string kEither = "(?:" + kIp4 + "|" + kIp6 + ")";
const std::string kAddress = R"(\[?)" + kEither + R"(\]?)";
const std::string kHost = "(?:" + kAddress + "|" + kName + ")";
const std::string kSubnet = R"(\[?)" + kEither + "(?:/" + kLength + R"()?\]?)";

std::optional<std::string> plain_tag(std::string_view tag, Names names) {
    if (tag == "HOST") return names == Names::refuse ? kAddress : kHost;
    if (tag == "IP4" || tag == "F-IP4/") return kIp4;
    if (tag == "IP6" || tag == "F-IP6/") return kIp6;
    if (tag == "ADDR" || tag == "F-ADDR/") return kAddress;
    if (tag == "CIDR" || tag == "F-CIDR/") return kLength;
    if (tag == "SUBNET" || tag == "F-SUBNET/") return kSubnet;
    if (tag == "DNS" || tag == "F-DNS/") return kName;
    if (tag == "F-ID/") return R"((?P<fid>\S+))";
    if (tag == "F-PORT/") return R"((?P<fport>\w+))";
    return std::nullopt;
}

bool is_tag_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

// The group that holds what a tag names.
std::string group_of(std::string_view tag) {
    const std::string name = lower(tag);
    if (name == "id") return "fid";
    if (name == "port") return "fport";
    return name;
}

// The name of <F-NAME> or </F-NAME>; none when the tag is neither.
std::optional<std::string_view> custom_name(std::string_view tag) {
    if (tag.starts_with('/')) tag.remove_prefix(1);
    if (!tag.starts_with("F-") || tag.size() == 2) return std::nullopt;
    tag.remove_prefix(2);
    const bool good = std::ranges::all_of(tag, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return good ? std::optional(tag) : std::nullopt;
}

// "alt_user_1" is an alternate of "user".
std::optional<std::string> complex_name(const std::string& group, std::string_view prefix) {
    if (!group.starts_with(prefix) || group.size() == prefix.size()) return std::nullopt;
    std::string name = group.substr(prefix.size());
    const std::size_t underscore = name.rfind('_');
    if (underscore != std::string::npos && underscore + 1 < name.size() &&
        name.find_first_not_of("0123456789", underscore + 1) == std::string::npos)
        name.resize(underscore);
    return group_of(name);
}

} // namespace

std::optional<std::string> found_in(const Groups& groups, std::string_view name) {
    const auto found = groups.find(name);
    if (found == groups.end() || !found->second || found->second->empty()) return std::nullopt;
    return found->second;
}

Translated expand_tags(std::string_view pattern, Names names) {
    std::string made;
    std::vector<std::pair<std::size_t, std::size_t>> steps;
    std::set<std::string, std::less<>> open;
    for (std::size_t at = 0; at < pattern.size();) {
        std::size_t end = at + 1;
        steps.emplace_back(made.size(), at);
        if (pattern[at] == '<') {
            if (end < pattern.size() && pattern[end] == '/') ++end;
            while (end < pattern.size() && is_tag_char(pattern[end])) ++end;
            if (end < pattern.size() && pattern[end] == '/') ++end;
        }
        if (pattern[at] != '<' || end >= pattern.size() || pattern[end] != '>') {
            made += pattern[at++];
            continue;
        }
        const std::string_view tag = pattern.substr(at + 1, end - at - 1);
        const std::optional<std::string_view> custom = custom_name(tag);
        if (const std::optional<std::string> known = plain_tag(tag, names)) {
            made += *known;
        } else if (custom && !tag.starts_with('/')) {
            open.emplace(*custom);
            made += "(?P<" + group_of(*custom) + ">";
        } else if (custom && open.contains(*custom)) {
            made += ")";
        } else {
            made += pattern.substr(at, end + 1 - at);
        }
        at = end + 1;
    }
    steps.emplace_back(made.size(), pattern.size());
    return {.text = std::move(made), .steps = std::move(steps)};
}

FailRegex::FailRegex(Pattern pattern, Regex regex)
    : pattern_(std::move(pattern)), regex_(std::move(regex)) {
    for (const auto& [name, number] : regex_.names()) {
        if (const auto alternate = complex_name(name, "alt_"))
            alternates_.emplace_back(name, *alternate);
        else if (const auto part = complex_name(name, "tuple_"))
            parts_.emplace_back(name, *part);
    }
    std::ranges::sort(alternates_);
    std::ranges::sort(parts_);
}

Result<FailRegex> FailRegex::compile(const Pattern& pattern, Names names) {
    const Translated expanded = expand_tags(pattern.text, names);
    std::expected<Regex, RegexError> regex = Regex::compile(expanded.text);
    if (regex && trimmed(expanded.text).empty())
        regex = std::unexpected(RegexError{0, "it is empty"});
    if (!regex) {
        constexpr std::size_t kShown = 40; // of the pattern, before the place
        const std::size_t at = std::min(expanded.origin_of(regex.error().at), pattern.text.size());
        const std::size_t from = at > kShown ? at - kShown : 0;
        std::string where = to_string(pattern.origin);
        if (!where.empty()) where += ": ";
        return fail(ErrorKind::invalid_input,
                    where +
                        escaped(pattern.key + " " + std::to_string(pattern.index) + ", character " +
                                std::to_string(at + 1) + ": " + regex.error().message +
                                ", after \"" + pattern.text.substr(from, at - from) + "\""));
    }
    return FailRegex(pattern, std::move(*regex));
}

Groups FailRegex::groups() const {
    Groups made;
    for (const auto& [name, number] : regex_.names()) {
        const std::optional<std::string_view> value = regex_.group(number);
        made[name] = value ? std::optional<std::string>(*value) : std::nullopt;
    }
    for (const auto& [group, name] : alternates_)
        if (const std::optional<std::string> value = found_in(made, group);
            value && !found_in(made, name))
            made[name] = value;
    for (const auto& [group, name] : parts_) {
        const std::optional<std::string> whole = found_in(made, name);
        made[name] = whole.value_or("") + "," + made[group].value_or("");
    }
    return made;
}

bool FailRegex::identifies() const {
    for (const char* group : {"fid", "ip4", "ip6", "dns", "mlfid"})
        if (regex_.has_group(group)) return true;
    return false;
}

} // namespace sallyport::jail
