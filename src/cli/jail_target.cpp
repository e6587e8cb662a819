// SPDX-License-Identifier: Apache-2.0
#include "cli/jail_target.h"

#include "config/parse.h"
#include "jail/disk.h"
#include "jail/filter_file.h"
#include "jail/jail_files.h"
#include "jail/own_jail.h"
#include "jail/words.h"

#include <algorithm>
#include <optional>

namespace sallyport {

namespace {

using namespace jail;

bool is_name(const std::string& text) {
    return text.find_first_of("<>()\\^$ \t") == std::string::npos;
}

// The filter file itself, when it is one.
Result<std::optional<JailTarget>> by_path(const std::string& text, const FileWorld& world) {
    const std::size_t bracket = text.find('[');
    const std::string path = text.substr(0, bracket);
    if (!path.contains('/') && !path.ends_with(".conf") && !path.ends_with(".local"))
        return std::optional<JailTarget>();
    if (!is_name(path)) return std::optional<JailTarget>();
    const NameWithOptions wanted = SP_TRY(parse_name_with_options(text));
    FilterFile file = SP_TRY(FilterFile::read_one(world, wanted.name, wanted.options));
    JailTarget target{.settings = {}, .notes = {}, .kind = "filter file"};
    target.settings.filter = SP_TRY(filter_from(file, wanted.name));
    target.settings.name = wanted.name;
    return std::optional(std::move(target));
}

Result<std::optional<JailTarget>> of_policy(const std::string& name, const JailPlaces& places,
                                            const FileWorld& world) {
    const Result<ParsedPolicy> loaded = load_policy(places.policy);
    if (!loaded || !loaded->policy) return std::optional<JailTarget>();
    const Policy& policy = *loaded->policy;
    for (const JailRule& rule : policy.jails) {
        if (rule.name != name) continue;
        JailTarget target{.settings = {}, .notes = {}, .kind = "jail"};
        target.settings = SP_TRY(settings_of(rule, places.policy, world, places.fail2ban));
        return std::optional(std::move(target));
    }
    for (const std::string& file : policy.fail2ban.jails) {
        const ReadJails read = SP_TRY(read_jails(world, file, policy.fail2ban.ipv6_prefix));
        for (const JailSettings& one : read.jails)
            if (one.name == name) {
                JailTarget target{.settings = one, .notes = read.notes, .kind = "jail"};
                std::erase_if(target.notes, [&](const Note& note) {
                    return !note.jail.empty() && note.jail != name;
                });
                return std::optional(std::move(target));
            }
        for (const Note& note : read.notes)
            if (note.jail == name && note.kind == NoteKind::refused)
                return fail(ErrorKind::invalid_input, to_text(note));
    }
    return std::optional<JailTarget>();
}

Result<std::optional<JailTarget>> by_filter(const std::string& text, const JailPlaces& places,
                                            const FileWorld& world) {
    const NameWithOptions wanted = SP_TRY(parse_name_with_options(text));
    Result<FilterFile> file = FilterFile::read(world, places.fail2ban, wanted.name, wanted.options);
    if (!file && file.error().kind == ErrorKind::not_found) return std::optional<JailTarget>();
    if (!file) return std::unexpected(file.error());
    JailTarget target{.settings = {}, .notes = {}, .kind = "filter"};
    target.settings.filter = SP_TRY(filter_from(*file, wanted.name));
    target.settings.name = wanted.name;
    return std::optional(std::move(target));
}

JailTarget expression(const std::string& text) {
    JailTarget target{.settings = {}, .notes = {}, .kind = "expression"};
    target.settings.name = "expression";
    target.settings.filter.name = "expression";
    target.settings.filter.failregex.push_back(
        {.text = text, .origin = {}, .key = "failregex", .index = 1});
    return target;
}

} // namespace

Result<JailTarget> find_jail_target(const std::string& text, const JailPlaces& places) {
    const FileWorld world = disk_world(Trust::anybody);
    if (is_name(text.substr(0, text.find('[')))) {
        if (std::optional<JailTarget> found = SP_TRY(by_path(text, world))) return *found;
        if (std::optional<JailTarget> found = SP_TRY(of_policy(text, places, world))) return *found;
        if (std::optional<JailTarget> found = SP_TRY(by_filter(text, places, world))) return *found;
        return fail(ErrorKind::invalid_input, "there is no jail and no filter \"" + text + "\"",
                    "filters are looked for in " + places.fail2ban +
                        "/filter.d; an expression has <HOST> in it");
    }
    return expression(text);
}

} // namespace sallyport
