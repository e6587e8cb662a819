// SPDX-License-Identifier: Apache-2.0
// sallyport panic: shut everything now, and think then.
#include "base/duration.h"
#include "base/text.h"
#include "cli/policy_change.h"
#include "cli/verbs.h"

#include <fmt/format.h>
#include <memory>

namespace sallyport {
namespace {

struct PanicOptions {
    std::string span;
    std::string message;
    bool off = false;
    bool as_json = false;
};

void say_shut(const nlohmann::ordered_json& answer) {
    say("sallyport: everything is shut, in and out, until `sallyport panic --off`");
    if (const auto seconds = answer.find("seconds");
        seconds != answer.end() && seconds->is_number())
        say("  or for " + to_string(std::chrono::seconds(seconds->get<std::int64_t>())));
    for (const auto& rule : answer.value("open", nlohmann::ordered_json::array()))
        say("  left open: " + escaped(rule.get<std::string>()));
    for (const auto& warning : answer.value("warnings", nlohmann::ordered_json::array()))
        say("sallyport: warning: " + escaped(warning.get<std::string>()));
}

ExitCode panic(const Paths& paths, const PanicOptions& options) {
    const Format format = options.as_json ? Format::json : Format::text;
    nlohmann::json request{{"cmd", "panic"}, {"off", options.off}, {"message", options.message}};
    if (!options.span.empty()) {
        const auto span = parse_duration(options.span);
        if (!span || span->count() < 1) {
            say("sallyport: --for: \"" + escaped(options.span) + "\" is no time: 60s, 10m, 2h");
            return ExitCode::usage;
        }
        request["trial"] = span->count();
    }
    if (options.off || format == Format::json) return change_policy(paths, request, format);
    const auto answer = ask_about_policy(paths, request);
    if (!answer) return report_failure(answer.error(), format);
    if (answer->value("changed", false)) {
        say_shut(*answer);
        return ExitCode::done;
    }
    say("sallyport: nothing was changed: " + escaped(answer->value("why", "")) +
        "\n  next: " + answer->value("next", ""));
    return ExitCode::no;
}

} // namespace

Verb panic_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<PanicOptions>();
    CLI::App* command = parent.add_subcommand(
        "panic", "shut everything at once but your own session, and ssh from the zone admin");
    CLI::Option* span =
        command->add_option("--for", options->span, "how long: 10m; until --off when left out");
    command->add_flag("--off", options->off, "what was in force before is in force again")
        ->excludes(span);
    command->add_option("--message", options->message, "told with the event");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer(
        "Loopback and what the link lives by stay. The kernel keeps the time: it holds,\n"
        "and ends, without a daemon too. A reboot ends it. Exits 1 when one is on\n"
        "already, or with --off when none is.");
    return {.command = command, .act = [paths, options] { return panic(*paths, *options); }};
}

} // namespace sallyport
