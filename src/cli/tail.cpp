// SPDX-License-Identifier: Apache-2.0
// sallyport tail: events as they happen.
#include "base/duration.h"
#include "base/text.h"
#include "cli/end_signals.h"
#include "cli/output.h"
#include "cli/tail_stream.h"
#include "cli/verbs.h"
#include "daemon/control_socket.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace sallyport {
namespace {

struct TailOptions {
    FilterText filter;
    std::uint64_t count = 0;
    bool as_json = false;
    std::string format = "text";
    std::string since;
    std::string pcap;
};

TailFormat format_of(const TailOptions& options) {
    if (!options.pcap.empty()) return Pcapng{};
    if (options.format == "eve") return EventFormat::eve;
    if (options.format == "ecs") return EventFormat::ecs;
    if (options.format == "ocsf") return EventFormat::ocsf;
    return options.as_json || options.format == "json" ? Format::json : Format::text;
}

ExitCode exit_code_of(TailEnd end) {
    switch (end) {
    case TailEnd::counted:
    case TailEnd::reader_gone:
    case TailEnd::interrupted:
        return ExitCode::done;
    case TailEnd::daemon_gone:
        say("sallyport: the daemon has ended; the wall may still stand: see 'sallyport status'");
        return ExitCode::no_daemon;
    case TailEnd::cut_off:
        say("sallyport: cut off, because the output was not read fast enough\n"
            "  next: narrow it with a filter, or read the log file");
        return ExitCode::refused;
    }
    return ExitCode::refused;
}

// Packets hold what was said: the file is its owner's alone, and no link leads elsewhere.
Result<Fd> open_capture(const std::string& path) {
    if (path == "-") {
        if (::isatty(STDOUT_FILENO) != 0)
            return fail(ErrorKind::invalid_input, "packets are not for a terminal",
                        "name a file, or pipe: sallyport tail --pcap - | wireshark -k -i -");
        return Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    }
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                 0600));
    if (!fd)
        return fail_errno(errno, "writing " + escaped(path),
                          "name a file that can be written; a FIFO needs its reader first");
    return fd;
}

ExitCode tail(const TailOptions& options, const Paths& paths) {
    const auto filter = parse_filter(options.filter);
    if (!filter) return report_failure(filter.error(), Format::text);
    std::optional<std::chrono::seconds> since;
    if (!options.since.empty()) {
        const auto span = parse_duration(options.since);
        if (!span) return report_failure(span.error(), Format::text);
        since = *span;
    }
    const auto socket = connect_to(paths.control_socket());
    if (!socket) {
        say_error(socket.error());
        return socket.error().kind == ErrorKind::not_found ? ExitCode::no_daemon
                                                           : exit_code_of(socket.error().kind);
    }
    Fd file;
    if (!options.pcap.empty()) {
        auto opened = open_capture(options.pcap);
        if (!opened) return report_failure(opened.error(), Format::text);
        file = *std::move(opened);
    }
    const Fd signals = end_signals();
    const auto end = tail_stream({.socket = socket->get(),
                                  .output = file ? file.get() : STDOUT_FILENO,
                                  .signals = signals.get(),
                                  .format = format_of(options),
                                  .colour = colour_for(STDOUT_FILENO),
                                  .zone = Zone::local,
                                  .count = options.count,
                                  .since = since,
                                  .filter = *filter});
    if (!end) return report_failure(end.error(), Format::text);
    return exit_code_of(*end);
}

} // namespace

Verb tail_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<TailOptions>();
    FilterText& filter = options->filter;
    CLI::App* tail_command = parent.add_subcommand("tail", "show events as they happen");
    const auto repeatable = [&](const char* name, std::vector<std::string>& values,
                                const char* help) {
        tail_command->add_option(name, values, help)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->group("Filters");
    };
    repeatable("--reason", filter.reasons, "only this reason (no-rule, bogon, ...)");
    repeatable("--rule", filter.rules, "only what this rule decided");
    repeatable("--src", filter.src, "only from this address or network");
    repeatable("--dst", filter.dst, "only to this address or network");
    repeatable("--port", filter.ports, "only with this port at either end");
    repeatable("--direction", filter.directions, "only ingress, egress or forward");
    tail_command->add_flag("--exfil", filter.exfil, "only exfiltration attempts")->group("Filters");
    tail_command->add_option("--count", options->count, "end after so many events");
    CLI::Option* as_json =
        tail_command->add_flag("--json", options->as_json, "one JSON object a line");
    tail_command
        ->add_option("--format", options->format,
                     "text, json (as --json), or as others have it: Suricata's EVE, ECS, OCSF")
        ->check(CLI::IsMember({"text", "json", "eve", "ecs", "ocsf"}))
        ->excludes(as_json);
    tail_command->add_option("--since", options->since,
                             "begin with what the daemon remembers of so long (10m)");
    tail_command
        ->add_option("--pcap", options->pcap,
                     "write their packets as pcapng, - for a pipe; needs root")
        ->excludes(as_json)
        ->excludes("--format");
    tail_command->footer(
        "A filter given more than once takes either value; different ones must all match.");
    return {.command = tail_command, .act = [paths, options] { return tail(*options, *paths); }};
}

} // namespace sallyport
