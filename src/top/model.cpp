// SPDX-License-Identifier: Apache-2.0
#include "top/model.h"

#include "event/names.h"
#include "sallyport/abi/event.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace sallyport::top {
namespace {

std::string where_of(const Event& event) {
    if (event.socket_family != 0) return "a socket of " + socket_family_name(event.socket_family);
    const std::string proto = event.proto ? proto_name(*event.proto) : "";
    if (!event.dst) return proto.empty() ? "?" : proto;
    const std::string address = to_string(*event.dst);
    if (!event.dst_port) return address + " " + proto;
    return fmt::format("{}:{}{}", event.dst->is_v4() ? address : "[" + address + "]",
                       *event.dst_port, proto == "tcp" ? "" : " " + proto);
}

std::string port_of(const Event& event) {
    const std::string proto =
        event.proto ? proto_name(*event.proto) : fmt::format("0x{:04x}", event.ethertype);
    return event.dst_port ? fmt::format("{} {}", proto, *event.dst_port) : proto;
}

// The name that says most: its own, and of what it is a part.
std::string who_of(const Event& event) {
    std::string who = event.comm;
    if (who.empty()) who = event.exe.substr(event.exe.rfind('/') + 1);
    std::string home = event.container_name;
    if (home.empty()) home = event.container.substr(0, 12);
    if (home.empty() && !event.slurm_job.empty()) home = "job " + event.slurm_job;
    if (home.empty()) home = event.unit;
    if (who.empty()) return home;
    return home.empty() ? who : fmt::format("{} ({})", who, home);
}

std::string reason_of(const Event& event) {
    std::string text = event.reason != 0 ? reason_name(event.reason) : to_string(event.kind);
    if (event.kind == EventKind::would_drop) text += ", let through";
    return text;
}

} // namespace

void Model::take_attempt(const Event& event) {
    Attempt attempt{.at = event.at,
                    .who = who_of(event),
                    .where = where_of(event),
                    .reason = reason_of(event),
                    .times = event.repeats};
    if (attempt.who.empty()) attempt.who = "?";
    attempts_total_ += event.repeats;
    const auto same = std::ranges::find_if(attempts_, [&](const Attempt& one) {
        return one.who == attempt.who && one.where == attempt.where && one.reason == attempt.reason;
    });
    if (same != attempts_.end()) {
        attempt.times += same->times;
        attempts_.erase(same);
    }
    attempts_.push_front(std::move(attempt));
    if (attempts_.size() > kAttempts) attempts_.pop_back();
}

void Model::take(const Event& event, SteadyTime now) {
    if (!event.host.empty()) host_ = event.host;
    if (event.kind != EventKind::drop && event.kind != EventKind::would_drop) return;
    const Talker talker{
        .name = "", .per_second = 0, .total = event.repeats, .last = event.at, .detail = ""};
    const auto add = [&](Talkers& to, std::string name, std::string detail) {
        if (name.empty()) return;
        Talker one = talker;
        one.name = std::move(name);
        one.detail = std::move(detail);
        to.add(std::move(one), now);
    };
    const std::string why = reason_of(event);
    if (event.direction == SP_EGRESS) {
        add(destinations_, where_of(event), fmt::format("{}, {}", why, who_of(event)));
        add(processes_, who_of(event), fmt::format("{}, to {}", why, where_of(event)));
    } else {
        add(sources_, event.src ? to_string(*event.src) : "",
            fmt::format("{}, {}", why, port_of(event)));
    }
    if (event.exfil) take_attempt(event);
}

void Model::note(std::map<std::string, Counted>& in, const std::string& name, Passed passed,
                 std::uint64_t refused, WallTime at, SteadyTime now) {
    const auto [place, is_new] = in.try_emplace(name);
    Counted& counted = place->second;
    // What was counted before the screen began was at a time that is not known.
    if (!is_new &&
        (counted.meter.totals() != passed || counted.refused.totals().packets != refused))
        counted.last = at;
    counted.meter.take(passed, now);
    counted.refused.take({.packets = refused, .bytes = 0}, now);
}

void Model::take(Counts counts, WallTime at, SteadyTime now) {
    for (std::size_t i = 0; i < kStreams; ++i) meters_[i].take(counts.streams[i], now);
    std::set<std::string> seen;
    for (const RuleCount& rule : counts.rules) {
        seen.insert(rule.name);
        note(rules_, rule.name, {.packets = rule.admitted, .bytes = rule.bytes}, rule.refused, at,
             now);
    }
    std::erase_if(rules_, [&](const auto& entry) { return !seen.contains(entry.first); });
    for (const auto& [name, count] : counts.reasons)
        note(reasons_, name, {.packets = count, .bytes = 0}, 0, at, now);
    counts_ = std::move(counts);
}

std::vector<Talker> Model::rules() const {
    std::vector<Talker> rows;
    for (const RuleCount& rule : counts_.rules) {
        const Counted& counted = rules_.at(rule.name);
        std::string detail = rule.direction;
        if (rule.refused != 0) detail += fmt::format(", {} refused", rule.refused);
        rows.push_back({.name = rule.name,
                        .per_second = counted.meter.packets_per_second() +
                                      counted.refused.packets_per_second(),
                        .total = rule.admitted + rule.refused,
                        .last = counted.last,
                        .detail = std::move(detail)});
    }
    return rows;
}

std::vector<Talker> Model::reasons() const {
    std::vector<Talker> rows;
    for (const auto& [name, counted] : reasons_) {
        const auto reason = parse_reason(name);
        rows.push_back({.name = name,
                        .per_second = counted.meter.packets_per_second(),
                        .total = counted.meter.totals().packets,
                        .last = counted.last,
                        .detail = reason ? std::string(reason_meaning(*reason)) : ""});
    }
    return rows;
}

} // namespace sallyport::top
