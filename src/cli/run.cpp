// SPDX-License-Identifier: Apache-2.0
// sallyport run: the daemon in the foreground.
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/daemon.h"

namespace sallyport {
namespace {

struct RunFlags {
    bool detach_on_exit = false;
    bool keep_connections = false;
    bool wait_for_nics = false;
    std::string metrics_listen;
};

// run_daemon speaks in exit codes already; what it cannot mean is a defect.
ExitCode exit_code_from(int code) {
    return code >= 0 && code <= 4 ? static_cast<ExitCode>(code) : ExitCode::refused;
}

} // namespace

Verb run_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<RunOptions>();
    const auto flags = std::make_shared<RunFlags>();
    CLI::App* run = parent.add_subcommand("run", "guard this host: the daemon in the foreground");
    run->add_option("-c,--config", options->policy_file, "the policy file")->capture_default_str();
    run->add_flag("--detach-on-exit", flags->detach_on_exit,
                  "take the wall down on SIGTERM and SIGINT; it stays otherwise");
    run->add_flag("--keep-connections", flags->keep_connections,
                  "spare connections that were there before, until they end");
    run->add_flag("--wait-for-nics", flags->wait_for_nics,
                  "begin without NICs that the policy names and that are not there yet");
    run->add_flag("--force", options->force,
                  "though it enforces first, over ssh or against a login, or ends a panic");
    run->add_option("--metrics-listen", flags->metrics_listen,
                    "let a Prometheus on this machine scrape: 127.0.0.1:9434")
        ->type_name("ADDRESS:PORT");
    run->add_flag("--journal", options->journal, "events to systemd's journal too");
    run->add_option("--log-level", options->log_level, "what to say on stderr")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
        ->capture_default_str();
    run->footer("SIGHUP reloads the policy file; a bad one leaves the old policy standing.");
    return {.command = run, .act = [paths, options, flags] {
                options->paths = *paths;
                if (flags->detach_on_exit) options->on_exit = OnExit::detach;
                if (flags->keep_connections) options->running = Running::keep;
                if (flags->wait_for_nics) options->nics = MissingNics::wait;
                if (!flags->metrics_listen.empty()) {
                    const auto at = parse_metrics_address(flags->metrics_listen);
                    if (!at) return report_failure(at.error(), Format::text);
                    options->metrics = *at;
                }
                const auto ended = run_daemon(*options);
                if (!ended) return report_failure(ended.error(), Format::text);
                return exit_code_from(*ended);
            }};
}

} // namespace sallyport
