// SPDX-License-Identifier: Apache-2.0
// sallyport explain: what would the wall do with a packet, by which rule, and why?
#include "cli/output.h"
#include "cli/verbs.h"
#include "daemon/wall.h"
#include "event/names.h"
#include "explain/answer.h"
#include "explain/last_drop.h"

#include <fmt/format.h>
#include <memory>
#include <pwd.h>

namespace sallyport {
namespace {

using explain::AskedOf;
using explain::Captured;
using explain::Way;

struct ExplainOptions {
    std::vector<std::string> words{};
    std::string hex{};
    std::string pcap{};
    std::size_t packet = 0; // of the capture; 0: each
    std::string event{};
    std::string on{};
    std::string unit{};
    std::string cgroup{};
    std::string user{};
    std::optional<std::uint32_t> uid{};
    bool as_json = false;
};

constexpr std::size_t kPacketsMax = 1000;

std::unexpected<Error> usage(const std::string& what, const std::string& hint = {}) {
    return fail(ErrorKind::invalid_input, what,
                hint.empty() ? "as in: sallyport explain 'in tcp 10.0.0.5:40000 > 10.0.1.5:22 syn'"
                             : hint);
}

Result<explain::Sender> sender_of(const ExplainOptions& options, Way way) {
    explain::Sender sender{.unit = options.unit, .cgroup = options.cgroup, .user = options.uid};
    const bool named = !options.unit.empty() || !options.cgroup.empty() || !options.user.empty() ||
                       options.uid.has_value();
    if (named && way != Way::out)
        return usage("only what goes out has a sender here", "--unit, --cgroup, --user and --uid "
                                                             "go with 'out'");
    if (!options.unit.empty() && !options.cgroup.empty())
        return usage("--unit and --cgroup name the same thing", "give one of them");
    if (options.user.empty()) return sender;
    if (options.uid) return usage("--user and --uid name the same thing", "give one of them");
    const passwd* found = getpwnam(options.user.c_str());
    if (found == nullptr) return usage("no such user", "see: getent passwd; or give --uid");
    sender.user = found->pw_uid;
    return sender;
}

Result<std::vector<Captured>> captured(const ExplainOptions& options) {
    if (!options.hex.empty()) {
        Captured packet = SP_TRY(explain::parse_hex(options.hex));
        std::vector<Captured> one;
        one.push_back(std::move(packet));
        return one;
    }
    std::vector<Captured> packets = SP_TRY(explain::read_pcap(options.pcap));
    if (options.packet == 0) {
        if (packets.size() > kPacketsMax)
            return usage(
                fmt::format("{} packets; {} are asked at a time", packets.size(), kPacketsMax),
                "name one: --packet N");
        return packets;
    }
    if (options.packet > packets.size())
        return usage(fmt::format("the capture has {} packets", packets.size()),
                     "--packet counts from 1");
    std::vector<Captured> one;
    one.push_back(std::move(packets[options.packet - 1]));
    return one;
}

// The questions, without asking anybody.
Result<std::vector<AskedOf>> questions(const ExplainOptions& options) {
    std::string text;
    for (const std::string& word : options.words) text += (text.empty() ? "" : " ") + word;
    const explain::AskedWords words = SP_TRY(explain::parse_question(text));
    AskedOf asked{.way = words.way, .on = words.on, .to = words.to};
    if (!options.on.empty()) {
        if (!words.on.empty() && words.on != options.on)
            return usage("--iface and 'on' name two interfaces", "give one of them");
        asked.on = options.on;
    }
    asked.sender = SP_TRY(sender_of(options, words.way));
    const bool bytes = !options.hex.empty() || !options.pcap.empty();
    if (words.packet && bytes)
        return usage("a packet in words and one in bytes", "with --hex or --pcap say only: in, "
                                                           "out or forward, and 'on INTERFACE'");
    if (!options.hex.empty() && !options.pcap.empty())
        return usage("--hex and --pcap name two packets", "give one of them");
    if (!words.packet && !bytes) return usage("no packet: its protocol and addresses");
    std::vector<AskedOf> all;
    if (words.packet) {
        asked.fields = words.packet;
        asked.packet = {.layer = explain::Layer::ip, .bytes = explain::to_bytes(*words.packet)};
        all.push_back(asked);
        return all;
    }
    for (Captured& packet : SP_TRY(captured(options))) {
        asked.fields = explain::read_packet(explain::ip_of(packet));
        asked.packet = std::move(packet);
        all.push_back(asked);
    }
    return all;
}

std::string event_line(const Event& event) {
    return fmt::format("the latest drop, seq {}: {} {}{}", event.seq,
                       direction_name(*event.direction), reason_name(event.reason),
                       event.rule.empty() ? "" : ", rule \"" + event.rule + "\"");
}

ExitCode print(const std::vector<explain::Answer>& answers, const ExplainOptions& options) {
    bool dropped = false;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const explain::Answer& answer : answers) {
        dropped = dropped || explain::is_dropped(answer);
        if (options.as_json)
            list.push_back(explain::to_json(answer));
        else
            print_data(explain::to_text(answer));
    }
    const bool is_list = !options.pcap.empty() && options.packet == 0;
    if (options.as_json) print_json(is_list ? list : list.front());
    return dropped ? ExitCode::no : ExitCode::done;
}

Result<ExitCode> explain_event(const ExplainOptions& options, const Paths& paths) {
    if (options.event != "last") return usage("--event: only 'last' is known");
    if (!options.words.empty() || !options.hex.empty() || !options.pcap.empty())
        return usage("--event last is the whole question", "leave the packet out");
    const Event event = SP_TRY(explain::last_drop(paths.events_log()));
    explain::WallAsked wall = SP_TRY(explain::WallAsked::open(paths));
    const explain::PolicyPlace place = explain::find_place(wall.enforced());
    const std::optional<AskedOf> asked = explain::question_of(event, find_cgroup_mount());
    if (!asked)
        return fail(ErrorKind::not_supported,
                    event_line(event) + ": the event says too little of the packet to ask again",
                    fmt::format("{}; give the packet itself: --hex or --pcap",
                                reason_meaning(event.reason)));
    explain::Answer answer = SP_TRY(explain::answer(wall, place, *asked));
    answer.notes.insert(answer.notes.begin(), event_line(event));
    return print({answer}, options);
}

Result<ExitCode> explain_packets(const ExplainOptions& options, const Paths& paths) {
    const std::vector<AskedOf> asked = SP_TRY(questions(options));
    explain::WallAsked wall = SP_TRY(explain::WallAsked::open(paths));
    const explain::PolicyPlace place = explain::find_place(wall.enforced());
    std::vector<explain::Answer> answers;
    for (const AskedOf& one : asked) answers.push_back(SP_TRY(explain::answer(wall, place, one)));
    return print(answers, options);
}

ExitCode act(const ExplainOptions& options, const Paths& paths) {
    const Result<ExitCode> code =
        options.event.empty() ? explain_packets(options, paths) : explain_event(options, paths);
    if (code) return *code;
    return report_failure(code.error(), options.as_json ? Format::json : Format::text);
}

} // namespace

Verb explain_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<ExplainOptions>();
    CLI::App* explain = parent.add_subcommand(
        "explain", "would a packet pass, by which rule, and what would let it");
    explain->add_option("QUESTION", options->words,
                        "'in tcp 10.0.0.5:40000 > 10.0.1.5:22 syn on eth0'; in, out or forward");
    explain->add_option("--hex", options->hex, "the packet's bytes, from its first header");
    explain->add_option("--pcap", options->pcap, "the packets of a capture file");
    explain->add_option("--packet", options->packet, "only this one of the capture, from 1")
        ->check(CLI::PositiveNumber);
    explain->add_option("--event", options->event, "'last': the latest drop in the events' log");
    explain->add_option("--iface", options->on, "as 'on INTERFACE'");
    explain->add_option("--unit", options->unit, "out: sent by that systemd unit");
    explain->add_option("--cgroup", options->cgroup, "out: sent from that cgroup");
    explain->add_option("--user", options->user, "out: sent by that user");
    explain->add_option("--uid", options->uid, "out: the same by number");
    explain->add_flag("--json", options->as_json, "print JSON");
    explain->footer("Asks the wall's own programs, without a trace: no token, no entry, no event.\n"
                    "Exits 0 when it would pass, 1 when it would be dropped.");
    return {.command = explain, .act = [paths, options] { return act(*options, *paths); }};
}

} // namespace sallyport
