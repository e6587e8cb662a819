// SPDX-License-Identifier: Apache-2.0
// sallyport restore: early in a boot, before there is a network.
#include "daemon/restore.h"

#include "cli/output.h"
#include "cli/verbs.h"

namespace sallyport {

Verb restore_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<RunOptions>();
    CLI::App* restore = parent.add_subcommand(
        "restore", "put the last good policy into force and exit; for a boot, before `run`");
    restore
        ->add_option("-c,--config", options->policy_file,
                     "the policy file, taken when no policy was ever good here")
        ->capture_default_str();
    restore->add_flag("--force", options->force,
                      "though it enforces first, over ssh or against a login");
    restore->add_option("--log-level", options->log_level, "what to say on stderr")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error"}))
        ->capture_default_str();
    restore->footer(
        "A wall that stands is left as it is. A policy on trial is never taken. Exits 1 when\n"
        "the last good policy cannot be used: the host is shut then, but for ssh.");
    return {.command = restore, .act = [paths, options] {
                options->paths = *paths;
                const auto ended = restore_wall(*options);
                if (!ended) return report_failure(ended.error(), Format::text);
                return static_cast<ExitCode>(*ended);
            }};
}

} // namespace sallyport
