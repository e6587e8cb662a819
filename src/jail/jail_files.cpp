// SPDX-License-Identifier: Apache-2.0
#include "jail/jail_files.h"

#include "jail/filter_file.h"
#include "jail/jail_values.h"
#include "jail/words.h"

#include <array>

namespace sallyport::jail {

namespace {

// What a jail's section may hold; "action" and the like are only told of.
constexpr std::array<const char*, 29> kJailKeys = {"enabled",
                                                   "backend",
                                                   "maxretry",
                                                   "maxmatches",
                                                   "findtime",
                                                   "bantime",
                                                   "bantime.increment",
                                                   "bantime.factor",
                                                   "bantime.formula",
                                                   "bantime.multipliers",
                                                   "bantime.maxtime",
                                                   "bantime.rndtime",
                                                   "bantime.overalljails",
                                                   "ignorecommand",
                                                   "ignoreself",
                                                   "ignoreip",
                                                   "ignorecache",
                                                   "filter",
                                                   "logtimezone",
                                                   "logencoding",
                                                   "logpath",
                                                   "action",
                                                   "usedns",
                                                   "prefregex",
                                                   "ignoreregex",
                                                   "failregex",
                                                   "maxlines",
                                                   "datepattern",
                                                   "journalmatch"};
constexpr std::array<const char*, 7> kFilterKeys = {
    "usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern", "journalmatch"};

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

class Reader {
  public:
    Reader(const FileWorld& world, std::string directory, unsigned ipv6_length)
        : world_(world), directory_(std::move(directory)), ipv6_length_(ipv6_length) {}

    Result<ReadJails> read(const std::string& file) {
        if (Result<std::string> own = world_.read_file(file); !own)
            return std::unexpected(std::move(own).error());
        set_ = SP_TRY(ConfigSet::read(world_, directory_ + "/jail", {file}));
        set_.ini().defaults["fail2ban_version"] = {"1.0.2", {}};
        set_.ini().defaults["fail2ban_confpath"] = {directory_, {}};
        for (const std::string& name : SP_TRY(names(file))) {
            JailSettings jail;
            jail.name = name;
            jail.origin.file = file;
            jail.ipv6_length = ipv6_length_;
            const std::size_t notes = made_.notes.size();
            const Result<bool> enabled = read_jail(jail);
            if (!enabled) {
                made_.notes.resize(notes); // what of it is not carried matters no more
                refuse(name, enabled.error());
            } else if (*enabled) {
                made_.jails.push_back(std::move(jail));
            }
        }
        return std::move(made_);
    }

  private:
    void refuse(const std::string& name, const Error& error) {
        Note note; // by itself: g++ 12 takes a part of a nameless one for uninitialised
        note.kind = NoteKind::refused;
        note.jail = name;
        note.text = "is not used: " + error.text();
        made_.notes.push_back(std::move(note));
    }

    // The jails that the file defines.
    Result<std::vector<std::string>> names(const std::string& file) {
        std::vector<std::string> found;
        const bool all = parent_of(file) == directory_ &&
                         (name_of(file) == "jail.conf" || name_of(file) == "jail.local");
        Ini own;
        if (!all) {
            const std::string text = SP_TRY(world_.read_file(file));
            own = SP_TRY(parse_ini(text, file));
        }
        for (const Section& section : all ? set_.ini().sections : own.sections)
            if (section.name != "INCLUDES" && !section.name.starts_with("KNOWN/"))
                found.push_back(section.name);
        return found;
    }

    // All keys of the jail that are there.
    template <std::size_t N>
    Result<Options> values(const std::string& name, const std::array<const char*, N>& keys) const {
        Options made;
        for (const char* key : keys)
            if (std::optional<Option> value = SP_TRY(set_.get(name, key)))
                made[key] = std::move(*value);
        return made;
    }

    // False when it is not enabled.
    Result<bool> read_jail(JailSettings& jail) {
        constexpr std::array<const char*, 3> kFirst = {"enabled", "backend", "filter"};
        const Options first = SP_TRY(values(jail.name, kFirst));
        const auto enabled = first.find("enabled");
        if (enabled == first.end() || parse_no(enabled->second.value)) return false;
        if (!parse_yes(enabled->second.value)) // as fail2ban reads it, and says
            return fail(ErrorKind::invalid_input, to_string(enabled->second.origin) +
                                                      ": enabled: " + enabled->second.value +
                                                      ": neither true nor false");
        jail.origin = enabled->second.origin;
        std::optional<FilterFile> filter;
        if (const auto named = first.find("filter");
            named != first.end() && !trimmed(named->second.value).empty())
            filter = SP_TRY(read_filter(jail, named->second.value, first));
        const Options all = SP_TRY(values(jail.name, kJailKeys));
        if (filter) {
            const Options of_filter = SP_TRY(filter->values(all, false));
            SP_TRY(take_filter_values(of_filter, jail.filter));
        }
        Options own;
        for (const char* key : kFilterKeys)
            if (const auto found = all.find(key); found != all.end()) own[key] = found->second;
        SP_TRY(take_filter_values(own, jail.filter));
        SP_TRY(take_jail_values(all, jail, made_.notes));
        if (jail.filter.max_lines > 1)
            return fail(ErrorKind::not_supported,
                        to_string(jail.filter.max_lines_origin) +
                            ": maxlines = " + std::to_string(jail.filter.max_lines) +
                            ": expressions over several lines are not carried");
        return true;
    }

    // What the filter knows is reachable as %(known/x)s in the jail.
    Result<FilterFile> read_filter(JailSettings& jail, const std::string& text,
                                   const Options& first) {
        const NameWithOptions wanted = SP_TRY(parse_name_with_options(text));
        jail.filter.name = wanted.name;
        FilterFile filter =
            SP_TRY(FilterFile::read(world_, directory_, wanted.name, wanted.options));
        const auto backend = first.find("backend");
        filter.set_logtype(backend != first.end() && backend->second.value.starts_with("systemd"));
        Options over;
        for (const auto& [key, option] : first) over[key] = option;
        const Options known = SP_TRY(filter.values(over, true));
        Section* const section = set_.ini().find(jail.name);
        if (section != nullptr)
            for (const auto& [key, option] : known) section->options["known/" + key] = option;
        return filter;
    }

    const FileWorld& world_;
    std::string directory_;
    unsigned ipv6_length_;
    ConfigSet set_;
    ReadJails made_;
};

} // namespace

std::string directory_of_jails(const FileWorld& world, const std::string& file) {
    const std::string beside = parent_of(file);
    if (name_of(beside) == "jail.d") return parent_of(beside);
    if (!world.list(beside + "/filter.d").empty()) return beside;
    return "/etc/fail2ban";
}

Result<ReadJails> read_jails(const FileWorld& world, const std::string& file,
                             unsigned ipv6_length) {
    return Reader(world, directory_of_jails(world, file), ipv6_length).read(file);
}

} // namespace sallyport::jail
