// SPDX-License-Identifier: Apache-2.0
// The command: arguments to a verb, the verb's answer to an exit code.
#include "base/json_words.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "cli/verbs.h"

#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {
namespace {

int as_int(ExitCode code) {
    return static_cast<int>(code);
}

void add_directories(CLI::App& app, Paths& paths) {
    const char* group = "Directories";
    app.add_option("--bpffs", paths.bpffs, "pinned links and maps [SALLYPORT_BPFFS]")
        ->group(group)
        ->capture_default_str();
    app.add_option("--run-dir", paths.run_dir, "the control socket [SALLYPORT_RUN_DIR]")
        ->group(group)
        ->capture_default_str();
    app.add_option("--state-dir", paths.state_dir, "what survives a reboot [SALLYPORT_STATE_DIR]")
        ->group(group)
        ->capture_default_str();
    app.add_option("--log-dir", paths.log_dir, "events.jsonl [SALLYPORT_LOG_DIR]")
        ->group(group)
        ->capture_default_str();
}

constexpr std::size_t kSaidMost = 4000; // bytes: a word of the command line may be megabytes

// What a daemon answers is read as this version writes it.
ExitCode act(const Verb& verb) {
    try {
        return verb.act();
    } catch (const nlohmann::json::exception& error) {
        const auto wrong =
            fail(ErrorKind::internal,
                 "what was read is not as it should be: " + json_words(error.what()),
                 "is the daemon of another version? its wall stands; systemctl restart sallyport");
        return report_failure(wrong.error(), Format::text);
    }
}

// What did not reach its file was not done, whatever else went well.
ExitCode unless_output_is_lost(ExitCode code) {
    if (lost_output() == 0) return code;
    say(std::string("sallyport: writing to stdout: ") + std::strerror(lost_output()));
    return code == ExitCode::done ? ExitCode::refused : code;
}

int run_command(int argc, char** argv) {
    CLI::App app("A default-deny firewall: what no rule allows is dropped, and says why.",
                 "sallyport");
    app.set_version_flag("--version", "sallyport " + std::string(own_version()),
                         "print the version");
    app.set_help_flag("-h,--help", "print this help");
    app.require_subcommand(0, 1); // so that a verb that does not exist is named in the error
    app.fallthrough();
    app.footer("Exit codes: 0 done; 1 the answer is no; 2 usage or a bad policy;\n"
               "            3 the kernel or the machine refused; 4 no daemon.\n"
               "'sallyport VERB --help' has the options of a verb.");
    const auto paths = std::make_shared<Paths>(paths_from_environment());
    add_directories(app, *paths);
    const std::vector<Verb> verbs{
        run_verb(app, paths),     check_verb(app),           apply_verb(app, paths),
        confirm_verb(app, paths), rollback_verb(app, paths), history_verb(app, paths),
        status_verb(app, paths),  metrics_verb(app, paths),  tail_verb(app, paths),
        top_verb(app, paths),     guard_verb(app, paths),    ban_verb(app, paths),
        unban_verb(app, paths),   bans_verb(app, paths),     jail_verb(app),
        panic_verb(app, paths),   explain_verb(app, paths),  audit_verb(app, paths),
        doctor_verb(app, paths),  drift_verb(app, paths),    report_verb(app, paths),
        import_verb(app),         diff_verb(app, paths),     restore_verb(app, paths),
        learn_verb(app, paths),   down_verb(app, paths)};
    for (const Verb& verb : verbs) verb.command->fallthrough();
    // For the shells: what follows is a command line to complete, not one to obey.
    if (argc > 1 && std::string_view(argv[1]) == "complete")
        return as_int(print_completion(app, {argv + 2, argv + argc}));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) { // --help, --version
            app.exit(error);
            return as_int(ExitCode::done);
        }
        // It quotes what was typed.
        say(one_line(error.what(), kSaidMost) + "\nRun with --help for more information.");
        return as_int(ExitCode::usage);
    }
    for (const Verb& verb : verbs)
        if (verb.command->parsed()) return as_int(unless_output_is_lost(act(verb)));
    say(app.help());
    return as_int(ExitCode::usage);
}

} // namespace
} // namespace sallyport

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an error of write, not a death
    try {
        return sallyport::run_command(argc, argv);
    } catch (const std::exception& error) { // out of memory, a third party's defect
        sallyport::say(std::string("sallyport: ") + error.what());
        return static_cast<int>(sallyport::ExitCode::refused);
    }
}
