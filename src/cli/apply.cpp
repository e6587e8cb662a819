// SPDX-License-Identifier: Apache-2.0
// sallyport apply: the running host to another policy, for good or on trial.
#include "base/duration.h"
#include "base/text.h"
#include "cli/policy_change.h"
#include "cli/verbs.h"
#include "config/parse.h"

#include <filesystem>
#include <memory>

namespace sallyport {
namespace {

struct ApplyOptions {
    std::string file;
    std::string confirm;
    std::string message;
    bool force = false;
    bool as_json = false;
};

// The errors are for whoever asks; the daemon's own reading of the file goes to its log.
bool tell_errors(const std::string& file, Format format, ExitCode& code) {
    const auto loaded = load_policy(file);
    if (!loaded) {
        code = report_failure(loaded.error(), format);
        code = ExitCode::usage;
        return true;
    }
    for (const Diagnostic& diagnostic : loaded->diagnostics) say(to_text(diagnostic));
    if (loaded->policy) return false;
    code = ExitCode::usage;
    return true;
}

ExitCode apply(const Paths& paths, const ApplyOptions& options) {
    const Format format = options.as_json ? Format::json : Format::text;
    ExitCode code = ExitCode::done;
    if (tell_errors(options.file, format, code)) return code;
    std::error_code error;
    const std::filesystem::path file = std::filesystem::absolute(options.file, error);
    nlohmann::json request{{"cmd", "apply"},
                           {"file", file.lexically_normal().string()},
                           {"force", options.force},
                           {"message", options.message}};
    if (!options.confirm.empty()) {
        const auto trial = parse_duration(options.confirm);
        if (!trial || trial->count() < 1) {
            say("sallyport: --confirm: \"" + escaped(options.confirm) +
                "\" is no time: 60s, 5m, 1h");
            return ExitCode::usage;
        }
        request["trial"] = trial->count();
    }
    return change_policy(paths, request, format);
}

} // namespace

Verb apply_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<ApplyOptions>();
    CLI::App* command =
        parent.add_subcommand("apply", "switch the running host to a policy, all or nothing");
    command->add_option("FILE", options->file, "the policy")->required();
    command->add_option("--confirm", options->confirm,
                        "on trial: taken back after this time (60s) unless `confirm` comes");
    command->add_option("--message", options->message, "kept in the history");
    command->add_flag("--force", options->force, "also when it locks out who is logged in");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer(
        "A trial is held by the kernel: it ends in time though the daemon, this command\n"
        "and the session are gone. Exits 1 when the policy would cut the session that\n"
        "it is applied from, or not let it in again, and when it would be the first to\n"
        "enforce here and comes over ssh without --confirm.");
    return {.command = command, .act = [paths, options] { return apply(*paths, *options); }};
}

} // namespace sallyport
