// SPDX-License-Identifier: Apache-2.0
// sallyport history: what was applied when, and by whom.
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/policy_keeper.h"

#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace sallyport {
namespace {

std::string line_of(const HistoryEntry& entry, bool current) {
    std::string line = fmt::format("{}{:>5}  {}  {:<11}  {:<7}  {}  {}", current ? "*" : " ",
                                   entry.number, entry.applied, to_string(entry.outcome),
                                   entry.mode, entry.sha256.substr(0, 12), escaped(entry.by));
    if (entry.restores != 0) line += fmt::format("  (policy {} again)", entry.restores);
    if (!entry.message.empty()) line += "  " + escaped(entry.message);
    return line + "\n";
}

// The files are plain, and root's: nobody is needed to read them.
ExitCode show(const Paths& paths, Format format) {
    const std::vector<HistoryEntry> entries = PolicyHistory(paths.state_dir).entries();
    if (entries.empty() && ::access(paths.state_dir.c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        return report_failure(fail(ErrorKind::permission,
                                   paths.state_dir + "/policies may not be read", "run it as root")
                                  .error(),
                              format);
    if (format == Format::json) {
        print_json(to_json(entries));
        return ExitCode::done;
    }
    if (entries.empty()) {
        say("sallyport: no policy was ever applied here, or " + paths.state_dir +
            "/policies cannot be read");
        return ExitCode::done;
    }
    std::string text;
    bool found = false;
    for (const HistoryEntry& entry : entries) {
        const bool current = !found && (entry.is_good() || entry.outcome == Outcome::trial);
        found = found || current;
        text += line_of(entry, current);
    }
    print_data(text);
    return ExitCode::done;
}

} // namespace

Verb history_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* command =
        parent.add_subcommand("history", "the policies that were applied, the newest first");
    command->add_flag("--json", *as_json, "print JSON");
    command->footer("The first column has their numbers, for `rollback`; * is the latest to rule.");
    return {.command = command, .act = [paths, as_json] {
                return show(*paths, *as_json ? Format::json : Format::text);
            }};
}

} // namespace sallyport
