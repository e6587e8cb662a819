// SPDX-License-Identifier: Apache-2.0
#include "cli/top_feed.h"

#include "daemon/control_socket.h"
#include "daemon/status.h"
#include "event/filter.h"
#include "event/json.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

std::unexpected<Error> daemon_gone() {
    return fail(ErrorKind::not_found, "the daemon has ended; the wall may still stand");
}

void add(top::Passed& to, std::uint64_t packets, std::uint64_t bytes) {
    to.packets += packets;
    to.bytes += bytes;
}

void add_hook(top::Counts& counts, const HookStatus& hook) {
    const auto stream = [&](top::Stream which) -> top::Passed& {
        return counts.streams[static_cast<std::size_t>(which)];
    };
    ++counts.hooks;
    counts.attached += hook.attached ? 1u : 0u;
    if (hook.hook == "xdp") {
        add(stream(top::Stream::in_admitted), hook.admitted, hook.admitted_bytes);
        add(stream(top::Stream::in_dropped), hook.dropped, hook.dropped_bytes);
    } else if (hook.hook == "forward") {
        counts.is_routing = true;
        add(stream(top::Stream::through_admitted), hook.admitted, hook.admitted_bytes);
        add(stream(top::Stream::through_dropped), hook.dropped, hook.dropped_bytes);
    } else {
        // What the cgroup lets out comes by the NIC's hook, and is counted there.
        if (hook.hook == "tc")
            add(stream(top::Stream::out_admitted), hook.admitted, hook.admitted_bytes);
        add(stream(top::Stream::out_dropped), hook.dropped, hook.dropped_bytes);
    }
}

std::string trial_text(const nlohmann::json& trial) {
    if (!trial.is_object()) return {};
    std::string text = trial.value("panic", false) ? "PANIC" : "on trial";
    const auto left = trial.find("seconds_left");
    if (left != trial.end() && left->is_number_unsigned())
        text += fmt::format(", {} s left", left->get<std::uint64_t>());
    return text;
}

} // namespace

top::Counts counts_of(const StatusView& status) {
    top::Counts counts{.state = status.state,
                       .why = status.why,
                       .mode = status.mode,
                       .generation = status.generation,
                       .trial = trial_text(status.trial),
                       .hooks = 0,
                       .attached = 0,
                       .flows = status.flow_entries,
                       .flows_max = status.flow_max,
                       .bans = status.bans_active,
                       .events_lost = status.events_lost,
                       .streams = {},
                       .is_routing = false,
                       .rules = {},
                       .reasons = status.reasons};
    for (const HookStatus& hook : status.hooks) add_hook(counts, hook);
    for (const RuleStatus& rule : status.rules)
        counts.rules.push_back({.name = rule.name,
                                .direction = rule.direction,
                                .admitted = rule.admitted,
                                .refused = rule.limited + rule.denied,
                                .bytes = rule.bytes});
    return counts;
}

TopFeed::TopFeed(Fd events, Fd answers)
    : events_(std::move(events)), answers_(std::move(answers)), event_lines_(events_.get()),
      answer_lines_(answers_.get()) {}

Result<TopFeed> TopFeed::open(const Paths& paths) {
    Fd events = SP_TRY(connect_to(paths.control_socket()));
    Fd answers = SP_TRY(connect_to(paths.control_socket()));
    SP_TRY(send_request(events.get(), {{"cmd", "tail"}, {"filter", filter_to_json({})}}));
    return TopFeed(std::move(events), std::move(answers));
}

Status TopFeed::ask() {
    if (awaits_) {
        if (std::chrono::steady_clock::now() - asked_at_ > kAnswerPatience) return no_answer();
        return {};
    }
    SP_TRY(send_request(answers_.get(), {{"cmd", "status"}}));
    awaits_ = true;
    asked_at_ = std::chrono::steady_clock::now();
    return {};
}

Result<std::vector<Event>> TopFeed::take_events() {
    if (!SP_TRY(event_lines_.fill())) return daemon_gone();
    std::vector<Event> events;
    while (event_lines_.has_line()) {
        const auto line = SP_TRY(event_lines_.next());
        if (!is_answered_) {
            const auto answer = parse_answer(*line);
            if (!answer) return std::unexpected<Error>(answer.error());
            is_answered_ = true;
            continue;
        }
        // One of a newer daemon's that this command does not know counts nowhere.
        if (auto event = event_from_json(*line)) events.push_back(*std::move(event));
    }
    return events;
}

Result<std::optional<top::Counts>> TopFeed::take_counts() {
    if (!SP_TRY(answer_lines_.fill())) return daemon_gone();
    if (!answer_lines_.has_line()) return std::optional<top::Counts>();
    const auto line = SP_TRY(answer_lines_.next());
    awaits_ = false;
    const auto answer = parse_answer(*line);
    if (!answer) return std::unexpected<Error>(answer.error());
    const auto status = status_from_json(*answer);
    if (!status) return std::unexpected<Error>(status.error());
    return std::optional(counts_of(*status));
}

} // namespace sallyport
