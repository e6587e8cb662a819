// SPDX-License-Identifier: Apache-2.0
// sallyport audit: who listens on this machine, and who can reach it.
#include "audit/json.h"
#include "audit/suggest.h"
#include "audit/text.h"
#include "base/text.h"
#include "cli/audit_watch.h"
#include "cli/audit_world.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/advice.h"
#include "daemon/session.h"
#include "kernel/sockets.h"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

struct AuditOptions {
    std::string policy;
    std::string services;
    std::uint64_t count = 0;
    bool as_json = false;
    bool suggests = false;
    bool watches = false;
    bool own_namespace = false;
    bool strict = false;
};

void say_diagnostics(const std::vector<Diagnostic>& diagnostics, Severity severity) {
    for (const Diagnostic& diagnostic : diagnostics) {
        if (diagnostic.severity != severity) continue;
        std::string text = to_text(diagnostic);
        while (text.ends_with('\n')) text.pop_back();
        say(text);
    }
}

bool has_error(const std::vector<Diagnostic>& diagnostics) {
    return std::ranges::any_of(diagnostics,
                               [](const Diagnostic& d) { return d.severity == Severity::error; });
}

audit::SuggestWorld suggest_world() {
    audit::SuggestWorld world;
    if (const auto sockets = list_tcp()) world.session = session_peers(getpid(), *sockets);
    world.resolvers = configured_resolvers(system_advice_world());
    return world;
}

// What the wall alone keeps in: it would be reachable where that does not stand.
bool has_undeclared(const audit::Report& report) {
    return std::ranges::any_of(report.listeners, [](const audit::Judged& one) {
        return one.state == audit::State::shut && one.rules.empty();
    });
}

ExitCode show(const AuditOptions& options, PolicyInForce& force,
              const audit::Catalogue& catalogue) {
    const Format format = options.as_json ? Format::json : Format::text;
    const Scope scope = options.own_namespace ? Scope::own_namespace : Scope::every_namespace;
    const auto machine = read_machine(scope, AskNat::yes, cgroup_of(force));
    if (!machine) return report_failure(machine.error(), format);
    const audit::Report report =
        judge(*machine, force.reach ? &*force.reach : nullptr, force.wall, catalogue);
    if (options.suggests) {
        const std::string text = suggest(report, *machine, suggest_world());
        if (format == Format::json)
            print_json({{"policy", text}});
        else
            print_data(text);
        return ExitCode::done;
    }
    if (format == Format::json)
        print_json(to_json(report, *machine, force.note, catalogue));
    else
        print_data(render(report, *machine, force.note));
    if (report.findings() != 0 || (options.strict && has_undeclared(report))) return ExitCode::no;
    return ExitCode::done;
}

ExitCode run_audit(const AuditOptions& options, const Paths& paths) {
    const Format format = options.as_json ? Format::json : Format::text;
    const LoadedCatalogue loaded = load_catalogue(options.services);
    say_diagnostics(loaded.diagnostics, Severity::error);
    if (!options.services.empty() && (!loaded.is_found || has_error(loaded.diagnostics))) {
        if (!loaded.is_found)
            say("sallyport: no directory of services: " + escaped(options.services));
        return ExitCode::usage;
    }
    if (loaded.catalogue.services.empty())
        say("sallyport: no catalogue of services is installed; what listens is not named\n"
            "  next: --services DIR");
    auto force = policy_in_force(options.policy, paths);
    if (!force) {
        const ExitCode code = report_failure(force.error(), format);
        const bool is_wrong = !options.policy.empty() && force.error().kind == ErrorKind::not_found;
        return is_wrong ? ExitCode::usage : code;
    }
    say_diagnostics(force->diagnostics, Severity::error);
    if (has_error(force->diagnostics)) return ExitCode::usage;
    if (!force->why_none.empty()) say("sallyport: " + force->why_none);
    if (!options.watches) return show(options, *force, loaded.catalogue);
    const auto watched = watch_listeners(
        {.scope = options.own_namespace ? Scope::own_namespace : Scope::every_namespace,
         .format = format,
         .count = options.count},
        *force, loaded.catalogue);
    return watched ? *watched : report_failure(watched.error(), Format::text);
}

} // namespace

Verb audit_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<AuditOptions>();
    CLI::App* audit = parent.add_subcommand(
        "audit", "every listening socket, its process, and who can reach it under the policy");
    audit->add_option("-c,--policy", options->policy,
                      "judge as if this policy stood; otherwise by the wall that stands");
    audit->add_option("--services", options->services, "the catalogue, a directory of *.toml");
    audit->add_flag("--json", options->as_json, "print JSON");
    audit->add_flag("--own-namespace", options->own_namespace,
                    "leave out the network namespaces of containers");
    CLI::Option* suggest =
        audit->add_flag("--suggest", options->suggests, "print a policy for this machine as it is");
    audit->add_flag("--watch", options->watches, "report new listeners until interrupted")
        ->excludes(suggest);
    audit->add_flag("--strict", options->strict,
                    "exit 1 as well for what no rule declares and the wall alone keeps in");
    audit->add_option("--count", options->count, "with --watch: end after so many");
    audit->footer(
        "Exits 1 when something is exposed: reachable from another machine or a container,\n"
        "because no wall stands, it only observes, or the interface is not guarded, and no\n"
        "allow rule of the policy declares its protocol and port. What no rule opens and the\n"
        "wall keeps in is 'shut', and no finding without --strict. --suggest and --watch exit 0.");
    return {.command = audit, .act = [paths, options] { return run_audit(*options, *paths); }};
}

} // namespace sallyport
