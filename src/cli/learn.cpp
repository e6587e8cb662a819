// SPDX-License-Identifier: Apache-2.0
// sallyport learn: the policy that would have allowed what was seen.
#include "base/duration.h"
#include "base/text.h"
#include "cli/learn_sources.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/session.h"
#include "kernel/sockets.h"
#include "learn/claims.h"
#include "learn/policy_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr const char* kDefaultPolicy = "/etc/sallyport/policy.toml";

struct LearnArguments {
    std::string span = "10m";
    std::string from;
    std::string policy;
    std::string services;
    std::uint64_t least = 2;
    bool as_json = false;
    bool knows_no_listeners = false;
};

std::map<std::string, std::uint64_t> hits_between(const StatusView& before,
                                                  const StatusView& after) {
    std::map<std::string, std::uint64_t> hits;
    for (const RuleStatus& rule : after.rules) {
        const auto at = std::ranges::find_if(before.rules, [&](const RuleStatus& one) {
            return one.name == rule.name && one.direction == rule.direction;
        });
        const auto sum = [](const RuleStatus& one) { return one.admitted + one.denied; };
        const std::uint64_t was = at == before.rules.end() ? 0 : sum(*at);
        hits[rule.name] = sum(rule) >= was ? sum(rule) - was : sum(rule);
    }
    return hits;
}

// What is written as `ingress = [...]` takes no [[ingress]] below it.
std::string hint_of(const Diagnostic& error) {
    for (const char* list : {"ingress", "egress", "forward"})
        if (error.message == fmt::format("\"{}\" is defined twice", list))
            return fmt::format("write its rules as [[{0}]] tables, not as {0} = [...]", list);
    return error.hint;
}

// The policy as it will be, held against what it is said to do.
Status check(const std::string& text, const ObservedPolicy& policy,
             const learn::Findings& findings) {
    const ParsedPolicy parsed = parse_policy(text, policy.file, system_world());
    for (const Diagnostic& one : parsed.diagnostics)
        if (one.severity == Severity::error)
            return fail(ErrorKind::conflict,
                        "what was learned cannot stand below this policy: " + escaped(one.message),
                        hint_of(one));
    if (!parsed.policy) return fail(ErrorKind::internal, "the learned policy does not parse");
    if (const auto wide = learn::overreach(findings, parsed); !wide.empty())
        return fail(ErrorKind::internal,
                    "what was learned lets in more than was seen: " + escaped(wide.front()));
    const auto unkept = learn::unkept_claims(findings, *parsed.policy);
    if (!unkept.empty())
        say(fmt::format("sallyport: {} of what was learned is still refused, as by a deny rule: {}",
                        unkept.size(), unkept.front()));
    return {};
}

ExitCode print(const LearnArguments& arguments, const ObservedPolicy& policy,
               const learn::Seen& seen, learn::Place place) {
    const Format format = arguments.as_json ? Format::json : Format::text;
    learn::LearnOptions options;
    options.least = arguments.least;
    if (const auto sockets = list_tcp()) options.session = session_peers(getpid(), *sockets);
    const learn::Findings findings = learn::sort_out(seen, policy.parsed, options);
    place.file = policy.file;
    place.events = seen.events();
    place.first = seen.first();
    place.last = seen.last();
    place.knows_served = seen.knows_served();
    const std::string text = learn::policy_text(policy.text, findings, place);
    const Status sound = check(text, policy, findings);
    if (!sound) return report_failure(sound.error(), format);
    say(learn::summary(findings, place));
    if (seen.events() == 0 && seen.drops() != 0)
        say(fmt::format("sallyport: {} packets were dropped, not observed: nothing is learned of "
                        "what is refused already",
                        seen.drops()));
    if (format == Format::json) {
        auto json = learn::to_json(findings, place);
        json["policy"] = text;
        print_json(json);
    } else {
        print_data(text);
    }
    return ExitCode::done;
}

ExitCode learn_of_file(const LearnArguments& arguments, const audit::Catalogue& catalogue) {
    const Format format = arguments.as_json ? Format::json : Format::text;
    const auto policy =
        policy_of_file(arguments.policy.empty() ? kDefaultPolicy : arguments.policy);
    if (!policy) {
        const ExitCode code = report_failure(policy.error(), format);
        return policy.error().kind == ErrorKind::not_found ? ExitCode::usage : code;
    }
    learn::Seen seen;
    if (!arguments.knows_no_listeners) {
        const auto served = served_here(AskNat::yes, catalogue);
        if (!served) return report_failure(served.error(), format);
        seen.serve(*served);
    }
    const Status read = learn_from_file(arguments.from, seen);
    if (!read) return report_failure(read.error(), format);
    learn::Place place{.file = {}, .source = arguments.from, .hits = {}};
    return print(arguments, *policy, seen, std::move(place));
}

ExitCode refuse_unless_observing(const StatusView& status, Format format) {
    Error why;
    why.kind = ErrorKind::conflict;
    why.message = "the wall does not observe" +
                  (status.mode.empty() ? std::string() : ": its mode is " + status.mode);
    const std::string file = escaped(status.policy_file);
    why.hint = file.empty()
                   ? "run it with a policy of mode = \"observe\""
                   : "write mode = \"observe\" in " + file + ", then: sallyport apply " + file;
    (void)report_failure(why, format);
    return ExitCode::no;
}

ExitCode learn_of_daemon(const LearnArguments& arguments, const audit::Catalogue& catalogue,
                         const Paths& paths) {
    const Format format = arguments.as_json ? Format::json : Format::text;
    const auto span = parse_duration(arguments.span);
    if (!span) return report_failure(span.error(), format);
    const auto before = daemon_status(paths);
    if (!before) {
        const ExitCode code = report_failure(before.error(), format);
        return before.error().kind == ErrorKind::not_found ? ExitCode::no_daemon : code;
    }
    if (before->state != "observing") return refuse_unless_observing(*before, format);
    const auto policy = observed_policy(*before, paths);
    if (!policy) return report_failure(policy.error(), format);
    learn::Seen seen;
    const auto ended = learn_live(paths, *span, catalogue, seen);
    if (!ended) return report_failure(ended.error(), format);
    if (!*ended) say("sallyport: interrupted; this is what was learned until now");
    learn::Place place{.file = {}, .source = "the events of this host", .hits = {}};
    const auto after = daemon_status(paths);
    if (!after)
        seen.add_loss("the daemon did not answer in the end");
    else if (after->generation != before->generation || after->state != "observing")
        seen.add_loss("the policy was switched in this time: not all was judged by the one below");
    else
        place.hits = hits_between(*before, *after);
    if (after && after->events_lost > before->events_lost)
        seen.add_loss(fmt::format("{} events were lost by the kernel's count",
                                  after->events_lost - before->events_lost));
    return print(arguments, *policy, seen, std::move(place));
}

ExitCode learn_policy(const LearnArguments& arguments, const Paths& paths) {
    const LoadedCatalogue loaded = load_catalogue(arguments.services);
    if (!arguments.services.empty() && !loaded.is_found) {
        say("sallyport: no directory of services: " + escaped(arguments.services));
        return ExitCode::usage;
    }
    return arguments.from.empty() ? learn_of_daemon(arguments, loaded.catalogue, paths)
                                  : learn_of_file(arguments, loaded.catalogue);
}

} // namespace

Verb learn_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto arguments = std::make_shared<LearnArguments>();
    CLI::App* learn = parent.add_subcommand(
        "learn", "watch in observe mode, then print the policy that would have allowed it");
    CLI::Option* span =
        learn->add_option("--for", arguments->span, "how long to watch (10m, 2h, 7d)")
            ->capture_default_str();
    CLI::Option* from =
        learn->add_option("--from", arguments->from, "read a file of events instead; - is stdin")
            ->excludes(span);
    learn->add_option("-c,--policy", arguments->policy, "with --from: the policy that observed")
        ->needs(from);
    learn
        ->add_flag("--no-listeners", arguments->knows_no_listeners,
                   "with --from: the events are of another machine, or of long ago")
        ->needs(from);
    learn->add_option("--min", arguments->least, "leave out what was opened less often (default 2)")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32));
    learn->add_option("--services", arguments->services, "the catalogue, a directory of *.toml");
    learn->add_flag("--json", arguments->as_json, "print JSON");
    learn->footer("The policy that observes is printed whole, with rules added below it and what\n"
                  "was left out as comments: probes, scanners, destinations seen once. Nothing is\n"
                  "applied. Exits 1 when the wall does not observe.");
    return {.command = learn,
            .act = [paths, arguments] { return learn_policy(*arguments, *paths); }};
}

} // namespace sallyport
