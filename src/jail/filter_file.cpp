// SPDX-License-Identifier: Apache-2.0
#include "jail/filter_file.h"

#include "jail/interpolate.h"
#include "jail/words.h"

#include <array>

namespace sallyport::jail {

namespace {

constexpr std::array<const char*, 7> kFilterKeys = {
    "usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern", "journalmatch"};

// One pattern a line; what was empty or a blank line is none.
std::vector<Pattern> patterns_of(const Option& option, const char* key) {
    std::vector<Pattern> patterns;
    unsigned index = 0;
    for (const std::string& line : split(option.value, '\n')) {
        if (line.empty()) continue;
        patterns.push_back({line, option.origin, key, ++index});
    }
    return patterns;
}

} // namespace

FilterFile::FilterFile(ConfigSet set, const std::map<std::string, std::string>& given)
    : set_(std::move(set)) {
    for (const auto& [key, value] : given) given_[key] = {value, {}};
}

Result<FilterFile> FilterFile::read(const FileWorld& world, const std::string& directory,
                                    const std::string& name,
                                    const std::map<std::string, std::string>& given) {
    const std::string base = name.starts_with('/') ? name : directory + "/filter.d/" + name;
    return FilterFile(SP_TRY(ConfigSet::read(world, base)), given);
}

Result<FilterFile> FilterFile::read_one(const FileWorld& world, const std::string& path,
                                        const std::map<std::string, std::string>& given) {
    return FilterFile(SP_TRY(ConfigSet::read_one(world, path)), given);
}

void FilterFile::set_logtype(bool from_journal) {
    const Section* const definition = set_.ini().find("Definition");
    if (given_.contains("logtype") ||
        (definition != nullptr && definition->options.contains("logtype")))
        return;
    given_["logtype"] = {from_journal ? "journal" : "file", {}};
}

Result<Options> FilterFile::values(const Options& jail, bool all) {
    Options over = jail;
    for (const auto& [key, option] : given_) over[key] = option;
    Options made;
    for (const char* key : kFilterKeys) {
        if (over.contains(key)) continue;
        if (std::optional<Option> found = SP_TRY(set_.get("Definition", key, over)))
            made[key] = std::move(*found);
    }
    if (const Section* const init = set_.ini().find("Init"))
        for (const auto& [key, raw] : init->options) {
            const std::optional<Option> value = SP_TRY(set_.get("Init", key));
            given_.try_emplace("known/" + key, *value);
            given_.try_emplace(key, *value);
        }
    if (const Section* const definition = set_.ini().find("Definition"); all && definition)
        for (const auto& [key, raw] : definition->options)
            if (!made.contains(key)) made[key] = *SP_TRY(set_.get("Definition", key));
    for (const auto& [key, option] : given_) made[key] = option;

    std::set<std::string> ignored;
    for (const auto& [key, option] : made)
        if (const std::size_t mark = key.find('?'); mark != std::string::npos)
            ignored.insert({key, key.substr(0, mark)});
    const TagLookup lookup = [&](const std::string& name) -> std::optional<std::string> {
        const Result<std::optional<Option>> found = set_.get_anywhere("Definition", name, over);
        if (!found || !*found) return std::nullopt;
        return (*found)->value;
    };
    SP_TRY(fill_in_tags(made, ignored, lookup));
    return made;
}

Status take_filter_values(const Options& values, FilterSettings& filter) {
    const auto find = [&](const char* key) -> const Option* {
        const auto found = values.find(key);
        return found == values.end() || found->second.value.empty() ? nullptr : &found->second;
    };
    if (const Option* option = find("usedns"))
        filter.names = lower(option->value) == "no" ? Names::refuse : Names::match;
    if (const Option* option = find("prefregex"))
        filter.prefregex = Pattern{option->value, option->origin, "prefregex", 1};
    if (const Option* option = find("failregex"))
        filter.failregex = patterns_of(*option, "failregex");
    if (const Option* option = find("ignoreregex"))
        filter.ignoreregex = patterns_of(*option, "ignoreregex");
    if (const Option* option = find("datepattern")) {
        filter.datepatterns.clear();
        for (const Pattern& pattern : patterns_of(*option, "datepattern"))
            if (const std::string_view text = trimmed(pattern.text); !text.empty())
                filter.datepatterns.push_back(
                    {std::string(text), pattern.origin, pattern.key, pattern.index});
    }
    if (const Option* option = find("maxlines")) {
        const std::optional<long> lines = parse_integer(option->value);
        if (!lines || *lines < 1 || *lines > 1000)
            return fail(ErrorKind::invalid_input,
                        to_string(option->origin) + ": maxlines is no number of lines");
        filter.max_lines = static_cast<unsigned>(*lines);
        filter.max_lines_origin = option->origin;
    }
    if (const Option* option = find("journalmatch")) {
        filter.journal.clear();
        for (const std::string& line : split(option->value, '\n')) {
            std::vector<std::string> words = SP_TRY(split_shell(line));
            if (!words.empty()) filter.journal.push_back(std::move(words));
        }
    }
    return {};
}

Result<FilterSettings> filter_from(FilterFile& file, const std::string& name) {
    file.set_logtype(false);
    FilterSettings filter;
    filter.name = name;
    const Options values = SP_TRY(file.values({}, false));
    SP_TRY(take_filter_values(values, filter));
    return filter;
}

} // namespace sallyport::jail
