// SPDX-License-Identifier: Apache-2.0
// sallyport report: a span of time in one readable file.
#include "report/report.h"

#include "base/durable_file.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/event_log.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "event/names.h"

#include <chrono>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

struct ReportOptions {
    std::string last = "7d";
    std::string from, to;
    std::string log;
    std::string output;
    bool as_html = false;
    bool as_json = false;
};

WallTime now() {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string host_name() {
    std::string name(256, '\0');
    if (gethostname(name.data(), name.size() - 1) != 0) return "this host";
    name.resize(std::min(name.find('\0'), name.size()));
    return name;
}

// "2026-01-02", "2026-01-02T03:04", "2026-01-02T03:04:05", a Z behind or none: UTC.
Result<WallTime> time_of(const std::string& option, std::string text) {
    constexpr std::string_view kZero = "0000-00-00T00:00:00.000000Z";
    const auto bad = [&] {
        return fail(ErrorKind::invalid_input, option + ": \"" + escaped(text) + "\" is no time",
                    "write it in UTC, as 2026-01-02 or 2026-01-02T03:04:05Z");
    };
    std::string whole = text.ends_with('Z') ? text.substr(0, text.size() - 1) : text;
    if (whole.size() != 10 && whole.size() != 16 && whole.size() != 19) return bad();
    whole += kZero.substr(whole.size());
    const std::optional<WallTime> time = parse_timestamp(whole);
    if (!time) return bad();
    return *time;
}

Result<report::Span> span_of(const ReportOptions& options) {
    report::Span span;
    span.to = options.to.empty() ? now() : SP_TRY(time_of("--to", options.to));
    if (options.from.empty()) {
        const std::chrono::seconds last = SP_TRY(parse_duration(options.last));
        span.from = span.to - last;
    } else {
        span.from = SP_TRY(time_of("--from", options.from));
    }
    if (span.from >= span.to)
        return fail(ErrorKind::invalid_input, "the time begins where it ends, or after it",
                    "--from must be before --to, which is now when it is left out");
    if (span.before() < WallTime{})
        return fail(ErrorKind::invalid_input, "the time before it would begin before 1970",
                    "ask for a shorter time");
    return span;
}

Result<report::Report> make_report(const ReportOptions& options, const Paths& paths) {
    const report::Span span = SP_TRY(span_of(options));
    const std::string path = options.log.empty() ? paths.events_log() : options.log;
    report::Collector collector(host_name(), span);
    const LogRead read = read_event_log(path, span.before(), span.to,
                                        [&](const Event& event) { collector.take(event); });
    if (!read.has_log)
        return fail(ErrorKind::not_found, "no log of events at " + escaped(path),
                    "it is for root and the group sallyport; --log FILE reads another");
    report::Report report = collector.finish();
    if (read.reaches_back && (!report.reaches_back || *read.reaches_back < *report.reaches_back))
        report.reaches_back = read.reaches_back;
    report.unread_lines = read.unread_lines;
    report.unread_files = read.unread_files;
    return report;
}

std::string json_text(const report::Report& report) {
    using nlohmann::ordered_json;
    return report::to_json(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) +
           "\n";
}

// A device or a pipe would be replaced by a file of its name.
Status check_output(const std::string& path) {
    struct stat about{};
    if (::lstat(path.c_str(), &about) != 0 || S_ISREG(about.st_mode)) return {};
    return fail(ErrorKind::invalid_input, escaped(path) + " is there, and is no regular file",
                "name a file, or leave -o out and send stdout there");
}

ExitCode run_report(const ReportOptions& options, const Paths& paths) {
    const Format format = options.as_json ? Format::json : Format::text;
    if (!options.output.empty())
        if (const Status fit = check_output(options.output); !fit)
            return report_failure(fit.error(), format);
    const Result<report::Report> report = make_report(options, paths);
    if (!report) return report_failure(report.error(), format);
    const std::string text = options.as_json   ? json_text(*report)
                             : options.as_html ? report::to_html(*report)
                                               : report::to_markdown(*report);
    if (options.output.empty()) {
        print_data(text);
        return ExitCode::done;
    }
    // Whole or not at all; it says what the log says, and is for those who may read that.
    if (const Status written = replace_durably(options.output, text, 0640); !written)
        return report_failure(written.error(), format);
    return ExitCode::done;
}

} // namespace

Verb report_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<ReportOptions>();
    CLI::App* command = parent.add_subcommand(
        "report", "what was refused, tried to leave, limited and banned within a time");
    CLI::Option* const last =
        command->add_option("--last", options->last, "so long until --to")->capture_default_str();
    command->add_option("--from", options->from, "from then on, UTC: 2026-01-02T03:04:05Z")
        ->excludes(last);
    command->add_option("--to", options->to, "until then, UTC; now when it is left out");
    command->add_option("--log", options->log, "this file of events rather than the daemon's");
    command->add_option("-o,--output", options->output, "into this file");
    CLI::Option* const html =
        command->add_flag("--html", options->as_html, "HTML with plots instead of Markdown");
    command->add_flag("--json", options->as_json, "print JSON")->excludes(html);
    command->footer("Compares with the time of the same length before. Reads the event log and "
                    "what was rotated of it; needs no daemon.");
    return {.command = command, .act = [paths, options] { return run_report(*options, *paths); }};
}

} // namespace sallyport
