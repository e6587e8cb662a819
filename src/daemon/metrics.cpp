// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics.h"

#include "event/names.h"

#include <ctime>
#include <optional>

namespace sallyport {
namespace {

using enum MetricKind;

MetricFamily single(const char* name, const char* help, MetricKind kind, std::uint64_t value) {
    return {.name = name, .help = help, .kind = kind, .samples = {{.labels = {}, .value = value}}};
}

// Of a time as the history writes it.
std::optional<std::uint64_t> seconds_of(const std::string& rfc3339) {
    std::tm time{};
    const char* rest = ::strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
    if (rest == nullptr) return std::nullopt;
    const std::time_t seconds = ::timegm(&time);
    return seconds < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(seconds));
}

void add_state(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily state{.name = "sallyport_state",
                       .help = "What the host is: 1 for the state that it is in",
                       .kind = gauge,
                       .samples = {}};
    for (const char* name : {"protected", "observing", "not-protected"})
        state.samples.push_back({.labels = {{.name = "state", .value = name}},
                                 .value = status.state == name ? 1u : 0u});
    all.push_back(std::move(state));
    all.push_back(single("sallyport_policy_generation", "Number of the policy in force", gauge,
                         status.generation));
    if (const auto applied = seconds_of(status.policy_applied))
        all.push_back(single("sallyport_policy_applied_timestamp_seconds",
                             "When the policy in force was put into force", gauge, *applied));
    const bool is_tried = status.trial.is_object();
    all.push_back(single("sallyport_policy_trial", "1 while the policy waits to be confirmed",
                         gauge, is_tried ? 1 : 0));
    // Of a trial without an end, as a panic may be, there is nothing left to count.
    const nlohmann::json left =
        is_tried ? status.trial.value("seconds_left", nlohmann::json()) : nlohmann::json();
    all.push_back(single("sallyport_policy_trial_remaining_seconds",
                         "Until the policy on trial is taken back", gauge,
                         left.is_number() ? left.get<std::uint64_t>() : 0));
    all.push_back(single("sallyport_panic", "1 while everything is shut by panic", gauge,
                         is_tried && status.trial.value("panic", false) ? 1 : 0));
}

void add_hooks(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily attached{.name = "sallyport_hook_attached",
                          .help = "1 while the program is where it judges",
                          .kind = gauge,
                          .samples = {}};
    MetricFamily packets{.name = "sallyport_hook_packets_total",
                         .help = "What the hook has judged; openings at connect and sendmsg",
                         .kind = counter,
                         .samples = {}};
    MetricFamily bytes{.name = "sallyport_hook_bytes_total",
                       .help = "Bytes of the packets that were judged at an interface",
                       .kind = counter,
                       .samples = {}};
    for (const HookStatus& hook : status.hooks) {
        std::vector<MetricLabel> labels{{.name = "hook", .value = hook.hook},
                                        {.name = "interface", .value = hook.iface}};
        attached.samples.push_back({.labels = labels, .value = hook.attached ? 1u : 0u});
        labels.push_back({.name = "verdict", .value = "admitted"});
        packets.samples.push_back({.labels = labels, .value = hook.admitted});
        if (!hook.iface.empty())
            bytes.samples.push_back({.labels = labels, .value = hook.admitted_bytes});
        labels.back().value = "dropped";
        packets.samples.push_back({.labels = labels, .value = hook.dropped});
        if (!hook.iface.empty())
            bytes.samples.push_back({.labels = labels, .value = hook.dropped_bytes});
    }
    for (MetricFamily* family : {&attached, &packets, &bytes}) all.push_back(std::move(*family));
}

// Each from the first scrape on: a series that begins with its first drop has no rate there.
void add_reasons(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily drops{.name = "sallyport_drops_total",
                       .help = "What was dropped, or would be in observe mode, by its reason",
                       .kind = counter,
                       .samples = {}};
    for (const std::uint8_t reason : all_reasons()) {
        const std::string name = reason_name(reason);
        const auto count = status.reasons.find(name);
        drops.samples.push_back({.labels = {{.name = "reason", .value = name}},
                                 .value = count == status.reasons.end() ? 0 : count->second});
    }
    all.push_back(std::move(drops));
}

void add_rules(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily openings{.name = "sallyport_rule_openings_total",
                          .help = "Connections that the rule decided on",
                          .kind = counter,
                          .samples = {}};
    MetricFamily bytes{.name = "sallyport_rule_bytes_total",
                       .help = "Of the openings that the rule admitted",
                       .kind = counter,
                       .samples = {}};
    for (const RuleStatus& rule : status.rules) {
        std::vector<MetricLabel> labels{{.name = "rule", .value = rule.name},
                                        {.name = "direction", .value = rule.direction}};
        bytes.samples.push_back({.labels = labels, .value = rule.bytes});
        labels.push_back({.name = "verdict", .value = ""});
        for (const auto& [verdict, count] :
             {std::pair{"admitted", rule.admitted}, std::pair{"limited", rule.limited},
              std::pair{"denied", rule.denied}}) {
            labels.back().value = verdict;
            openings.samples.push_back({.labels = labels, .value = count});
        }
    }
    all.push_back(std::move(openings));
    all.push_back(std::move(bytes));
}

void add_tables(std::vector<MetricFamily>& all, const StatusView& status) {
    all.push_back(
        single("sallyport_flows", "Entries of the table of flows", gauge, status.flow_entries));
    all.push_back(single("sallyport_flows_limit", "How many flows the policy lets there be", gauge,
                         status.flow_max));
    all.push_back(single("sallyport_flows_refused_total",
                         "Flows that were not entered for want of room", counter,
                         status.flow_refused));
    all.push_back(single("sallyport_bans", "Networks that are banned", gauge, status.bans_active));
    all.push_back(single("sallyport_syncookies_sent_total", "SYNs that XDP answered by a cookie",
                         counter, status.cookies_sent));
    all.push_back(single("sallyport_syncookies_accepted_total",
                         "Connections that came back with a valid cookie", counter,
                         status.cookies_taken));
    all.push_back(single("sallyport_challenges_sent_total",
                         "Refused sources that were asked to prove their address", counter,
                         status.challenged));
    all.push_back(single("sallyport_challenges_lost_total", "Proofs lost for want of room", counter,
                         status.proofs_lost));
    all.push_back(single("sallyport_answers_heard_total", "DNS answers that names were taken from",
                         counter, status.answers));
    all.push_back(single("sallyport_answers_lost_total",
                         "DNS answers that were not, for want of room or too many in a second",
                         counter, status.answers_lost));
}

void add_jails(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily working{.name = "sallyport_jail_working",
                         .help = "1 while all that the jail follows can be followed",
                         .kind = gauge,
                         .samples = {}};
    MetricFamily lines = {.name = "sallyport_jail_lines_total",
                          .help = "Lines that the jail has read",
                          .kind = counter,
                          .samples = {}};
    MetricFamily matched = {.name = "sallyport_jail_matches_total",
                            .help = "Lines that accused somebody",
                            .kind = counter,
                            .samples = {}};
    MetricFamily bans = {.name = "sallyport_jail_bans_total",
                         .help = "Bans that the jail has asked for",
                         .kind = counter,
                         .samples = {}};
    for (const JailStatus& jail : status.jails) {
        const std::vector<MetricLabel> labels{{.name = "jail", .value = jail.name}};
        working.samples.push_back({.labels = labels, .value = jail.why.empty() ? 1u : 0u});
        lines.samples.push_back({.labels = labels, .value = jail.lines});
        matched.samples.push_back({.labels = labels, .value = jail.matched});
        bans.samples.push_back({.labels = labels, .value = jail.bans});
    }
    for (MetricFamily* family : {&working, &lines, &matched, &bans})
        all.push_back(std::move(*family));
}

void add_events(std::vector<MetricFamily>& all, const StatusView& status) {
    all.push_back(single("sallyport_events_sent_total", "Events that the programs have told of",
                         counter, status.events_sent));
    all.push_back(single("sallyport_events_folded_total",
                         "Of these, since the daemon began, counted into another's line", counter,
                         status.events_folded));
    MetricFamily lost{.name = "sallyport_events_lost_total",
                      .help = "Events that were lost, by where",
                      .kind = counter,
                      .samples = {}};
    for (const auto& [where, count] : status.events_lost_by)
        lost.samples.push_back({.labels = {{.name = "reason", .value = where}}, .value = count});
    all.push_back(std::move(lost));
    all.push_back(single("sallyport_captures_lost_total",
                         "Packets of events that were lost for want of room", counter,
                         status.captures_lost));
}

void add_sight(std::vector<MetricFamily>& all, const StatusView& status) {
    MetricFamily blind{.name = "sallyport_blind",
                       .help = "1 for what this kernel does not let the programs see",
                       .kind = gauge,
                       .samples = {}};
    for (const std::string& what : status.blind)
        blind.samples.push_back({.labels = {{.name = "what", .value = what}}, .value = 1});
    all.push_back(std::move(blind));
    all.push_back(single("sallyport_interfaces_missing",
                         "Names and globs of the policy that match no interface", gauge,
                         status.waiting.size()));
    if (status.packet_sockets)
        all.push_back(single("sallyport_packet_sockets", "Packet sockets that processes hold",
                             gauge, status.packet_sockets->size()));
}

} // namespace

std::vector<MetricFamily> metrics_of(const StatusView& status) {
    std::vector<MetricFamily> all;
    for (const auto add : {add_state, add_hooks, add_reasons, add_rules, add_tables, add_jails,
                           add_events, add_sight})
        add(all, status);
    return all;
}

} // namespace sallyport
