// SPDX-License-Identifier: Apache-2.0
#include "cli/diff_source.h"

#include "cli/output.h"
#include "config/parse.h"
#include "daemon/history.h"
#include "daemon/pins_status.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr const char* kUsualFile = "/etc/sallyport/policy.toml";

DiffSource source_of(ParsedPolicy parsed, std::string title, std::string file) {
    DiffSource source{.policy = *std::move(parsed.policy),
                      .zones = {},
                      .title = std::move(title),
                      .file = std::move(file)};
    for (NamedZone& zone : parsed.zones)
        source.zones.push_back({.name = std::move(zone.name), .peers = std::move(zone.peers)});
    return source;
}

Result<DiffSource> from_file(const std::string& file) {
    Result<ParsedPolicy> parsed = load_policy(file);
    if (!parsed) return fail(ErrorKind::invalid_input, parsed.error().text(), parsed.error().hint);
    for (const Diagnostic& diagnostic : parsed->diagnostics) say(to_text(diagnostic));
    if (!parsed->policy)
        return fail(ErrorKind::invalid_input, file + " has errors", "sallyport check " + file);
    return source_of(*std::move(parsed), file, file);
}

Result<DiffSource> from_history(const PolicyHistory& history, const HistoryEntry& entry,
                                const std::string& what) {
    const PolicySource kept = SP_TRY(history.load(entry));
    ParsedPolicy parsed = parse_again(*kept.text, kept.file);
    if (!parsed.policy)
        return fail(ErrorKind::invalid_input,
                    fmt::format("policy {} is none any more", entry.number));
    return source_of(
        std::move(parsed),
        fmt::format("{}policy {} of the history ({})", what, entry.number, entry.applied),
        kept.file);
}

// Of those in force and those before, the newest first.
Result<std::vector<HistoryEntry>> entries_of(const PolicyHistory& history, const Paths& paths) {
    std::vector<HistoryEntry> entries = history.entries();
    if (!entries.empty()) return entries;
    const std::string directory = paths.state_dir + "/policies";
    if (::access(paths.state_dir.c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        return fail(ErrorKind::permission, directory + " may not be read", "run it as root");
    return fail(ErrorKind::not_found, "no policy was ever applied here: none is in " + directory,
                "name two policies: sallyport diff A B");
}

std::optional<std::uint32_t> number_of(const std::string& name) {
    std::uint32_t number = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (wrong != std::errc() || end != name.data() + name.size()) return std::nullopt;
    return number;
}

} // namespace

Result<DiffSource> named_policy(const std::string& name, const Paths& paths) {
    const std::optional<std::uint32_t> number = number_of(name);
    if (!number) return from_file(name);
    const PolicyHistory history(paths.state_dir);
    const std::vector<HistoryEntry> entries = SP_TRY(entries_of(history, paths));
    const auto at = std::ranges::find(entries, *number, &HistoryEntry::number);
    if (at == entries.end())
        return fail(ErrorKind::invalid_input,
                    fmt::format("policy {} is not in the history", *number),
                    "sallyport history lists what is there; a file of that name is ./" + name);
    return from_history(history, *at, "");
}

Result<DiffSource> loaded_policy(const Paths& paths) {
    const PolicyHistory history(paths.state_dir);
    const std::vector<HistoryEntry> entries = SP_TRY(entries_of(history, paths));
    const Result<StatusView> status = status_from_pins(paths);
    if (status && !status->policy_sha256.empty()) {
        const std::optional<HistoryEntry> loaded =
            entry_in_force(paths.state_dir, status->generation, status->policy_sha256);
        if (loaded) return from_history(history, *loaded, "the loaded policy, ");
        return fail(ErrorKind::not_found, "the loaded policy is not in the history",
                    "name two policies: sallyport diff A B");
    }
    const auto good = std::ranges::find_if(entries, &HistoryEntry::is_good);
    if (good == entries.end())
        return fail(ErrorKind::not_found, "the history has no good policy",
                    "name two policies: sallyport diff A B");
    return from_history(history, *good, "the last good policy, ");
}

Result<DiffSource> policy_of_file(const Paths& paths) {
    const Result<DiffSource> loaded = loaded_policy(paths);
    return from_file(loaded && !loaded->file.empty() ? loaded->file : kUsualFile);
}

} // namespace sallyport
