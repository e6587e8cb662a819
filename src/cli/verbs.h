// SPDX-License-Identifier: Apache-2.0
#pragma once
// The verbs of the command, one file each. A verb adds its subcommand and hands
// back what to do when it was the one asked for.
#include "cli/exit_code.h"
#include "daemon/paths.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <memory>

namespace sallyport {

struct Verb {
    CLI::App* command = nullptr; // of the parent
    std::function<ExitCode()> act;
};

// The directories are known only when the arguments have been read.
using SharedPaths = std::shared_ptr<const Paths>;

[[nodiscard]] Verb run_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb restore_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb check_verb(CLI::App& parent);
[[nodiscard]] Verb import_verb(CLI::App& parent);
[[nodiscard]] Verb status_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb metrics_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb tail_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb top_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb audit_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb learn_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb doctor_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb drift_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb report_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb guard_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb jail_verb(CLI::App& parent);
[[nodiscard]] Verb ban_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb unban_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb bans_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb apply_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb confirm_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb rollback_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb history_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb diff_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb panic_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb explain_verb(CLI::App& parent, const SharedPaths& paths);
[[nodiscard]] Verb down_verb(CLI::App& parent, const SharedPaths& paths);

} // namespace sallyport
