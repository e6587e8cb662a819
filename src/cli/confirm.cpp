// SPDX-License-Identifier: Apache-2.0
// sallyport confirm: keep the policy on trial. sallyport rollback: go back.
#include "cli/policy_change.h"
#include "cli/verbs.h"

#include <memory>

namespace sallyport {

Verb confirm_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto as_json = std::make_shared<bool>(false);
    CLI::App* command = parent.add_subcommand("confirm", "keep the policy that is on trial");
    command->add_flag("--json", *as_json, "print JSON");
    command->footer(
        "Exits 1 when none is on trial, or when the trial is over: the policy before it\n"
        "is in force then.");
    return {.command = command, .act = [paths, as_json] {
                return change_policy(*paths, {{"cmd", "confirm"}},
                                     *as_json ? Format::json : Format::text);
            }};
}

Verb rollback_verb(CLI::App& parent, const SharedPaths& paths) {
    struct Options {
        std::uint32_t number = 0;
        std::string message;
        bool force = false;
        bool as_json = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* command = parent.add_subcommand(
        "rollback", "end the trial; without one, go back to an earlier policy");
    command->add_option("N", options->number,
                        "its number in `history`; the one before the current when left out");
    command->add_option("--message", options->message, "kept in the history");
    command->add_flag("--force", options->force, "also when it locks out who is logged in");
    command->add_flag("--json", options->as_json, "print JSON");
    return {.command = command, .act = [paths, options] {
                return change_policy(*paths,
                                     {{"cmd", "rollback"},
                                      {"number", options->number},
                                      {"force", options->force},
                                      {"message", options->message}},
                                     options->as_json ? Format::json : Format::text);
            }};
}

} // namespace sallyport
