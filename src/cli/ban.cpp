// SPDX-License-Identifier: Apache-2.0
// sallyport ban and unban: asked of the daemon, or done over the pins when there is none.
#include "base/duration.h"
#include "base/ip.h"
#include "base/text.h"
#include "cli/ban_request.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/ban_commands.h"

#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace sallyport {

namespace {

constexpr auto kPatience = std::chrono::seconds(10);

std::string text_at(const nlohmann::ordered_json& answer, const char* key) {
    const auto at = answer.find(key);
    return at != answer.end() && at->is_string() ? escaped(at->get<std::string>()) : std::string();
}

// "for 1h", or how it ends otherwise.
std::string span_of(const nlohmann::ordered_json& answer) {
    const auto at = answer.find("seconds");
    if (at == answer.end() || !at->is_number()) return "until it is lifted";
    return "for " + to_string(std::chrono::seconds(at->get<std::int64_t>()));
}

void tell(const nlohmann::ordered_json& answer, bool bans) {
    const std::string network = text_at(answer, "network");
    const std::size_t cut = answer.value("cut", std::size_t{0});
    std::string line = bans ? fmt::format("sallyport: {} is banned {}", network, span_of(answer))
                            : fmt::format("sallyport: the ban of {} is lifted", network);
    if (cut != 0) line += fmt::format("; {} connection{} cut", cut, cut == 1 ? "" : "s");
    say(line);
    if (const std::string also = text_at(answer, "also"); !also.empty()) say("  but: " + also);
    if (const std::string lost = text_at(answer, "not_kept"); !lost.empty())
        say("  it would not survive a restart yet: " + lost);
}

ExitCode act(const Paths& paths, const nlohmann::json& request, Format format) {
    const bool bans = request["cmd"] == "ban";
    const auto answer = ask_about_bans(paths, request);
    if (!answer) return report_ban_failure(answer.error(), format);
    if (format == Format::json) print_json(*answer);
    const bool done = answer->value(bans ? "banned" : "unbanned", false);
    if (done) {
        if (format == Format::text) tell(*answer, bans);
        return ExitCode::done;
    }
    say("sallyport: " + text_at(*answer, "why"));
    if (const std::string next = text_at(*answer, "next"); !next.empty()) say("  next: " + next);
    return ExitCode::no;
}

struct Arguments {
    std::string network;
    std::string span;
    std::string reason;
    bool as_json = false;
};

void add_network(CLI::App& command, Arguments& arguments) {
    command.add_option("ADDR", arguments.network, "an address or a network, IPv4 or IPv6")
        ->required();
    command.add_flag("--json", arguments.as_json, "print JSON");
}

ExitCode run(const Paths& paths, const Arguments& arguments, const char* verb) {
    const Format format = arguments.as_json ? Format::json : Format::text;
    const Result<Prefix> network = parse_prefix(arguments.network);
    if (!network) return report_failure(network.error(), format);
    if (arguments.reason.size() > kBanReasonMax)
        return report_failure(fail(ErrorKind::invalid_input,
                                   fmt::format("--reason has {} bytes, and may have {}",
                                               arguments.reason.size(), kBanReasonMax),
                                   "say it in fewer")
                                  .error(),
                              format);
    nlohmann::json request{{"cmd", verb}, {"network", to_string(*network)}};
    if (!arguments.reason.empty()) request["reason"] = arguments.reason;
    if (!arguments.span.empty()) {
        const Result<std::chrono::seconds> span = parse_duration(arguments.span);
        if (!span) return report_failure(span.error(), format);
        if (span->count() < 1)
            return report_failure(fail(ErrorKind::invalid_input, "a ban lasts at least a second",
                                       "leave --for out for one that lasts until it is lifted")
                                      .error(),
                                  format);
        request["seconds"] = span->count();
    }
    return act(paths, request, format);
}

} // namespace

Result<nlohmann::ordered_json> ask_about_bans(const Paths& paths, const nlohmann::json& request) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
        auto answer = ask_daemon(paths.control_socket(), request);
        if (answer) answer->erase("ok");
        if (answer || answer.error().kind != ErrorKind::not_found) return answer;
        // One that starts or ends holds the pins without answering yet, or any more.
        answer = ban_by_pins(paths, request);
        if (answer || answer.error().kind != ErrorKind::conflict ||
            std::chrono::steady_clock::now() > until)
            return answer;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

ExitCode report_ban_failure(const Error& error, Format format) {
    const ExitCode code = report_failure(error, format);
    return error.kind == ErrorKind::not_found ? ExitCode::no_daemon : code;
}

Verb ban_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* ban = parent.add_subcommand(
        "ban", "drop everything from and to an address or a network, and cut what runs");
    add_network(*ban, *arguments);
    ban->add_option("--for", arguments->span,
                    "how long: 90s, 5m, 2h, 7d; without it, until it is lifted");
    ban->add_option("--reason", arguments->reason, "kept with the ban and told in its event");
    ban->footer("Exits 1 when that must not be banned: an address of this host, a zone of [bans]\n"
                "never, the address that this session comes from.");
    return {.command = ban, .act = [paths, arguments] { return run(*paths, *arguments, "ban"); }};
}

Verb unban_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* unban = parent.add_subcommand("unban", "lift a ban, as it was made");
    add_network(*unban, *arguments);
    unban->footer("Exits 1 when there is no ban of just that.");
    return {.command = unban,
            .act = [paths, arguments] { return run(*paths, *arguments, "unban"); }};
}

} // namespace sallyport
