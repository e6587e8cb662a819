// SPDX-License-Identifier: Apache-2.0
// sallyport diff: what a change of policy newly allows or forbids.
#include "cli/diff_source.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "diff/compare.h"
#include "diff/tell.h"

#include <memory>

namespace sallyport {
namespace {

struct DiffOptions {
    std::string first;
    std::string second;
    bool as_json = false;
};

// Errors of a file are told line by line, as by check.
Result<DiffSource> source_of(const DiffOptions& options, const Paths& paths, diff::Side side) {
    const bool are_two = !options.second.empty();
    if (side == diff::Side::before)
        return are_two ? named_policy(options.first, paths) : loaded_policy(paths);
    if (are_two) return named_policy(options.second, paths);
    return options.first.empty() ? policy_of_file(paths) : named_policy(options.first, paths);
}

ExitCode compare(const DiffOptions& options, const Paths& paths) {
    const Format format = options.as_json ? Format::json : Format::text;
    const Result<DiffSource> before = source_of(options, paths, diff::Side::before);
    if (!before) return report_failure(before.error(), format);
    const Result<DiffSource> after = source_of(options, paths, diff::Side::after);
    if (!after) return report_failure(after.error(), format);
    const diff::Space space(before->policy, after->policy);
    const diff::Difference difference = diff::compare(space);
    std::vector<diff::Zone> zones = after->zones;
    zones.insert(zones.end(), before->zones.begin(), before->zones.end());
    const diff::Titles titles{.before = before->title, .after = after->title};
    if (format == Format::json)
        print_json(diff::to_json(difference, space, zones, titles));
    else
        print_data(diff::to_text(difference, space, zones, titles));
    return difference.is_any() ? ExitCode::no : ExitCode::done;
}

} // namespace

Verb diff_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<DiffOptions>();
    CLI::App* command =
        parent.add_subcommand("diff", "what a change of policy newly allows or forbids");
    command->add_option("A", options->first, "a file, or a number of `history`");
    command->add_option("B", options->second, "the same");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer(
        "From A to B; A alone is compared with the loaded policy, and without either the\n"
        "policy file is. Exits 0 when they mean the same, 1 when they differ. A file whose\n"
        "name is a number is ./5.");
    return {.command = command, .act = [paths, options] { return compare(*options, *paths); }};
}

} // namespace sallyport
