// SPDX-License-Identifier: Apache-2.0
// sallyport jail test: which lines of a log a jail or filter matches, and whom it
// would ban. Touches neither the machine nor a daemon.
#include "base/duration.h"
#include "cli/jail_report.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "jail/words.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace sallyport {
namespace {

struct JailOptions {
    std::string filter;
    std::string log;
    JailPlaces places{.policy = "/etc/sallyport/policy.toml", .fail2ban = "/etc/fail2ban"};
    unsigned max_retry = 0; // 0: as the jail says
    std::string find_time;
    std::string ban_time;
    JailShown shown;
    bool as_json = false;
};

Status override_settings(const JailOptions& options, jail::JailSettings& settings) {
    if (options.max_retry > 0) settings.max_retry = options.max_retry;
    if (!options.find_time.empty())
        settings.find_time = SP_TRY(jail::parse_time_span(options.find_time));
    if (!options.ban_time.empty()) {
        const std::chrono::seconds span = SP_TRY(jail::parse_time_span(options.ban_time));
        settings.ban_time = span.count() < 0 ? std::nullopt : std::optional(span);
    }
    return {};
}

// A file when there is one of that name, "-" for standard input, else a line itself.
Result<std::unique_ptr<std::istream>> open_log(const std::string& log) {
    if (log == "-") return std::make_unique<std::istream>(std::cin.rdbuf());
    // Neither held up by a FIFO that nobody writes to, nor by what never ends.
    std::error_code error;
    if (const auto status = std::filesystem::status(log, error);
        std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
        !std::filesystem::is_directory(status))
        return fail(ErrorKind::kernel, log + " is not a regular file", "'-' reads standard input");
    errno = 0;
    auto file = std::make_unique<std::ifstream>(log, std::ios::binary);
    const int refused = errno;
    if (*file && file->peek() == std::ifstream::traits_type::eof() && file->bad())
        return fail_errno(errno != 0 ? errno : EIO, "cannot read " + log);
    if (*file || file->eof()) {
        file->clear();
        return file;
    }
    if (refused == EACCES || (log.starts_with('/') && !log.contains(' ') && !log.contains('\t')))
        return fail_errno(refused != 0 ? refused : ENOENT, "cannot open " + log);
    return std::make_unique<std::istringstream>(log);
}

Result<ExitCode> test(const JailOptions& options) {
    Result<JailTarget> found = find_jail_target(options.filter, options.places);
    if (!found) { // also a file that is not there: FILTER is what was asked for wrongly
        Error error = std::move(found).error();
        if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::invalid_input;
        return std::unexpected(std::move(error));
    }
    JailTarget target = *std::move(found);
    SP_TRY(override_settings(options, target.settings));
    jail::Jail jail = SP_TRY(jail::Jail::make(target.settings, {}, jail::Times::of_lines));
    const std::unique_ptr<std::istream> log = SP_TRY(open_log(options.log));
    const jail::LogTime now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const JailRun run = run_jail(jail, *log, now);
    for (const jail::Note& note : target.notes) say(to_text(note));
    if (options.as_json)
        print_json(jail_report_json(target, jail, run));
    else
        print_data(jail_report_text(target, jail, run, options.shown));
    return run.matched > 0 ? ExitCode::done : ExitCode::no;
}

} // namespace

Verb jail_verb(CLI::App& parent) {
    const auto options = std::make_shared<JailOptions>();
    CLI::App* jail = parent.add_subcommand("jail", "bans from what services log");
    jail->require_subcommand(1);
    CLI::App* test_command =
        jail->add_subcommand("test", "which lines of a log a jail matches, and whom it would ban");
    test_command
        ->add_option("FILTER", options->filter,
                     "a filter file, a jail, a filter's name, or an expression with <HOST>")
        ->required();
    test_command->add_option("LOG", options->log, "a file, - or a line")->required();
    test_command
        ->add_option("-c,--config", options->places.policy, "the policy whose jails are known")
        ->capture_default_str();
    test_command
        ->add_option("--fail2ban", options->places.fail2ban, "the directory that holds filter.d")
        ->capture_default_str();
    test_command->add_option("--max-retry", options->max_retry, "instead of the jail's")
        ->check(CLI::Range(1u, 1000u));
    test_command->add_option("--find-time", options->find_time, "instead of the jail's");
    test_command->add_option("--ban-time", options->ban_time, "instead of the jail's");
    test_command->add_flag("--matched", options->shown.matched, "print the lines that matched");
    test_command->add_flag("--missed", options->shown.missed,
                           "print the lines that did not, at most 1000");
    test_command->add_flag("--json", options->as_json, "print JSON");
    return {.command = jail, .act = [options] {
                const Result<ExitCode> done = test(*options);
                if (done) return *done;
                const Format format = options->as_json ? Format::json : Format::text;
                return report_failure(done.error(), format);
            }};
}

} // namespace sallyport
