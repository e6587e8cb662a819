// SPDX-License-Identifier: Apache-2.0
#include "jail/own_jail.h"

#include "jail/filter_file.h"
#include "jail/words.h"

namespace sallyport::jail {

namespace {

std::vector<Pattern> patterns(const std::vector<std::string>& texts, const Origin& origin,
                              const char* key) {
    std::vector<Pattern> made;
    unsigned index = 0;
    for (const std::string& text : texts) made.push_back({text, origin, key, ++index});
    return made;
}

Status take_filter(const std::string& text, const FileWorld& world, const std::string& directory,
                   JailSettings& jail) {
    const NameWithOptions wanted = SP_TRY(parse_name_with_options(text));
    const bool is_path = wanted.name.starts_with('/');
    FilterFile file = is_path
                          ? SP_TRY(FilterFile::read_one(world, wanted.name, wanted.options))
                          : SP_TRY(FilterFile::read(world, directory, wanted.name, wanted.options));
    file.set_logtype(jail.from_journal);
    const Options values = SP_TRY(file.values({}, false));
    SP_TRY(take_filter_values(values, jail.filter));
    jail.filter.name = wanted.name;
    return {};
}

} // namespace

Result<JailSettings> settings_of(const JailRule& rule, const std::string& policy_file,
                                 const FileWorld& world, const std::string& directory) {
    JailSettings jail;
    jail.name = rule.name;
    jail.origin = {policy_file, rule.line};
    jail.from_journal = !rule.journals.empty();
    jail.filter.name = rule.name;
    if (!rule.filter.empty())
        SP_TRY(
            take_filter(rule.filter, world, directory, jail).context("jail \"" + rule.name + "\""));
    else
        jail.filter.failregex = patterns(rule.match, jail.origin, "match");
    for (Pattern& pattern : patterns(rule.ignore, jail.origin, "ignore"))
        jail.filter.ignoreregex.push_back(std::move(pattern));
    if (!rule.date_pattern.empty())
        jail.filter.datepatterns = patterns(rule.date_pattern, jail.origin, "date-pattern");
    if (jail.from_journal) jail.filter.journal.clear();
    for (const std::string& unit : rule.journals)
        jail.filter.journal.push_back({"_SYSTEMD_UNIT=" + unit});
    for (const std::string& log : rule.logs) jail.logs.push_back({.glob = log, .tail = false});
    jail.max_retry = rule.max_retry;
    jail.find_time = rule.find_time;
    jail.ban_time = rule.ban_time;
    jail.growth.on = rule.growing;
    jail.growth.most = rule.ban_time_max;
    jail.ignored = rule.except;
    jail.ipv6_length = rule.ipv6_prefix;
    return jail;
}

} // namespace sallyport::jail
