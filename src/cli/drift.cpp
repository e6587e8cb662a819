// SPDX-License-Identifier: Apache-2.0
// sallyport drift: what differs between the policy file, the policy loaded, and the kernel.
#include "cli/drift_review.h"
#include "cli/drift_world.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "kernel/apply.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr int kAttempts = 6;
constexpr auto kPause = std::chrono::milliseconds(200);

struct DriftOptions {
    bool as_json = false;
    bool weekly = false;
};

Result<drift::Report> compare_once(const Paths& paths, bool& is_still) {
    const StandingWall wall = SP_TRY(open_standing_wall(paths));
    drift::Report report;
    report.generation = wall.slot.generation;
    const std::uint64_t before = SP_TRY(control_word(wall.maps.maps));
    Status compared = compare_policies(wall, paths, report);
    if (compared) compared = compare_bans(wall, paths, report);
    compare_hooks(wall, report);
    compare_pins(wall, paths, report);
    find_foreign(wall, report);
    is_still = SP_TRY(control_word(wall.maps.maps)) == before;
    if (!compared) return std::unexpected<Error>(std::move(compared).error());
    return report;
}

ExitCode run_drift(const DriftOptions& options, const Paths& paths) {
    const Format format = options.as_json ? Format::json : Format::text;
    if (geteuid() != 0)
        return report_failure(Error{.kind = ErrorKind::permission,
                                    .message = "the pins are for root only",
                                    .hint = "run it as root",
                                    .contexts = {},
                                    .verifier_log = {}},
                              format);
    if (options.weekly) return print_review(paths, format);
    const Result<drift::Report> report = find_drift(paths);
    if (!report) return report_failure(report.error(), format);
    if (format == Format::json) {
        print_json(drift::to_json(*report));
    } else {
        print_data(drift::render(*report));
        std::string rest = drift::render_rest(*report);
        rest.pop_back(); // say() ends the line
        say(rest);
    }
    return drift::has_drift(*report) ? ExitCode::no : ExitCode::done;
}

} // namespace

// A reload while we look would be told as drift: it is looked at again.
Result<drift::Report> find_drift(const Paths& paths) {
    for (int attempt = 1;; attempt++) {
        bool is_still = true;
        Result<drift::Report> report = compare_once(paths, is_still);
        // What was kept of a policy is on disk a moment after it rules.
        const bool is_doubtful =
            report && attempt == 1 && std::ranges::any_of(report->findings, [](const auto& one) {
                return one.level == drift::Level::drift && (one.id == "record" || one.id == "map");
            });
        if (report && is_still && !is_doubtful) return report;
        // A record is written a moment before or after the switch.
        if (!report && (report.error().kind == ErrorKind::permission || attempt >= 2))
            return report;
        if (attempt >= kAttempts)
            return fail(ErrorKind::conflict, "the policy keeps changing while it is compared",
                        "ask again when it stands");
        std::this_thread::sleep_for(kPause);
    }
}

Verb drift_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<DriftOptions>();
    CLI::App* command = parent.add_subcommand(
        "drift", "what differs between the policy file, the policy loaded, and the kernel");
    command->add_flag("--weekly", options->weekly,
                      "print the review of the last seven days, as plain text for a mail");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer("Exits 1 when something differs. Changes nothing; needs root, and no daemon.");
    return {.command = command, .act = [paths, options] { return run_drift(*options, *paths); }};
}

} // namespace sallyport
