// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include "base/saturating.h"
#include "event/names.h"
#include "sallyport/abi/types.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sallyport::report {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBucketsMost = 60;
constexpr std::size_t kTop = 10;
constexpr std::size_t kAttempts = 20;
constexpr std::size_t kAttemptsKept = 4096;
constexpr std::size_t kChanges = 50;

// Steps that fall on the marks of a clock.
std::chrono::seconds bucket_for(std::chrono::seconds span) {
    for (const std::chrono::seconds step :
         {60s, 300s, 600s, 1800s, 3600s, 10800s, 21600s, 43200s, 86400s})
        if (span <= step * kBucketsMost) return step;
    const auto days = (span + 86400s * kBucketsMost - 1s) / (86400s * kBucketsMost);
    return 86400s * days;
}

// A host of IPv6 has all of its /64.
std::string source_of(const Address& address) {
    return to_string(prefix_of(address, address.is_v4() ? 128 : 64));
}

std::string port_of(const Event& event) {
    if (event.socket_family != 0) return "a socket of " + socket_family_name(event.socket_family);
    if (!event.proto)
        return event.ethertype != 0 ? fmt::format("EtherType 0x{:04x}", event.ethertype)
                                    : "no port";
    const std::string proto = proto_name(*event.proto);
    if (event.dst_port) return fmt::format("{} {}", proto, *event.dst_port);
    return event.icmp_type ? fmt::format("{} type {}", proto, *event.icmp_type) : proto;
}

std::string destination_of(const Event& event) {
    return event.dst ? to_string(*event.dst) + ", " + port_of(event) : port_of(event);
}

// The most telling name of who it was.
std::string sender_of(const Event& event) {
    std::string who = event.comm;
    if (who.empty()) who = event.exe.substr(event.exe.rfind('/') + 1);
    const std::string home = !event.container_name.empty() ? "container " + event.container_name
                             : !event.container.empty()
                                 ? "container " + event.container.substr(0, 12)
                             : !event.slurm_job.empty() ? "Slurm job " + event.slurm_job
                                                        : event.unit;
    const std::string user = !event.user.empty() ? event.user
                             : event.uid         ? fmt::format("uid {}", *event.uid)
                                                 : "";
    std::string text = who.empty() ? "a process that is not known" : who;
    if (!home.empty()) text += ", " + home;
    if (!user.empty()) text += ", " + user;
    return text;
}

Ranks ranked(const Ranking& now, const Ranking& before) {
    return {.top = now.top(kTop, before),
            .others = now.names() - std::min(now.names(), kTop),
            .short_by = now.short_by()};
}

} // namespace

std::string_view name_of(Series series) {
    constexpr std::string_view names[kSeries] = {"arriving", "leaving", "exfil", "limited", "bans"};
    return names[static_cast<std::size_t>(series)];
}

std::string_view title_of(Series series) {
    constexpr std::string_view titles[kSeries] = {"Refused on the way in", "Refused on the way out",
                                                  "Attempts to leave the inside",
                                                  "Refused by a limit", "Bans"};
    return titles[static_cast<std::size_t>(series)];
}

Collector::Collector(std::string host, Span span) {
    report_.host = std::move(host);
    report_.span = span;
    const auto length = std::chrono::ceil<std::chrono::seconds>(span.to - span.from);
    report_.bucket = bucket_for(length);
    const auto buckets = static_cast<std::size_t>((length + report_.bucket - 1s) / report_.bucket);
    for (Curve& curve : report_.curves) {
        curve.now.resize(std::max<std::size_t>(buckets, 1));
        curve.before.resize(curve.now.size());
    }
}

void Collector::take(const Event& event) {
    const Span& span = report_.span;
    if (event.at < span.before() || event.at >= span.to) return;
    if (!report_.reaches_back || event.at < *report_.reaches_back) report_.reaches_back = event.at;
    // A log from elsewhere names whose it is.
    if (!event.host.empty() && event.at >= named_at_) {
        report_.host = event.host;
        named_at_ = event.at;
    }
    const bool is_now = event.at >= span.from;
    if (is_now) report_.events++;
    switch (event.kind) {
    case EventKind::drop:
    case EventKind::would_drop:
        refused(event, is_now);
        break;
    case EventKind::ban: {
        // A list's networks are no news of who came.
        if (!event.network) break;
        count(Series::bans, event, 1);
        banned_.add(to_string(*event.network) + ", by " + event.origin, 1, is_now);
        break;
    }
    case EventKind::lost:
        if (is_now && event.lost_by) {
            std::uint64_t& lost = report_.lost[to_string(*event.lost_by)];
            lost = saturating_add(lost, event.count);
        }
        break;
    case EventKind::policy:
    case EventKind::hook:
        if (is_now) change(event);
        break;
    default:
        break;
    }
}

void Collector::count(Series series, const Event& event, std::uint64_t times) {
    Curve& curve = report_.curves[static_cast<std::size_t>(series)];
    const bool is_now = event.at >= report_.span.from;
    const WallTime begin = is_now ? report_.span.from : report_.span.before();
    const auto bucket = static_cast<std::size_t>((event.at - begin) / report_.bucket);
    std::vector<std::uint64_t>& buckets = is_now ? curve.now : curve.before;
    std::uint64_t& in_bucket = buckets[std::min(bucket, buckets.size() - 1)];
    std::uint64_t& in_all = is_now ? curve.total : curve.total_before;
    in_bucket = saturating_add(in_bucket, times);
    in_all = saturating_add(in_all, times);
}

void Collector::refused(const Event& event, bool is_now) {
    const std::uint64_t times = event.repeats;
    if (is_now && event.kind == EventKind::would_drop)
        report_.would_have_been = saturating_add(report_.would_have_been, times);
    const std::string reason = event.reason == 0 ? "no reason told" : reason_name(event.reason);
    if (reason == "over-limit") {
        count(Series::limited, event, times);
        limits_.add(event.rule.empty() ? "a rule that is gone" : event.rule, times, is_now);
    }
    if (event.direction == SP_EGRESS) {
        count(Series::leaving, event, times);
        destinations_.add(destination_of(event), times, is_now);
        senders_.add(sender_of(event), times, is_now);
        why_not_.add(reason, times, is_now);
        if (!event.exfil) return;
        count(Series::exfil, event, times);
        if (is_now) attempt(event);
        return;
    }
    count(Series::arriving, event, times);
    if (event.src) sources_.add(source_of(*event.src), times, is_now);
    ports_.add(port_of(event), times, is_now);
    reasons_.add(reason, times, is_now);
}

void Collector::attempt(const Event& event) {
    std::string text = sender_of(event) + " to " + destination_of(event);
    const auto at = attempts_.find(text);
    if (at == attempts_.end()) {
        if (attempts_.size() >= kAttemptsKept) forget_attempts();
        Happening first{.at = event.at, .text = text, .count = event.repeats};
        attempts_.emplace(std::move(text), std::move(first));
        return;
    }
    at->second.at = std::min(at->second.at, event.at);
    at->second.count = saturating_add(at->second.count, event.repeats);
}

// The half that was seen less often, of equals the later: who makes up names without end pushes
// himself out.
void Collector::forget_attempts() {
    std::vector<std::map<std::string, Happening>::iterator> all;
    for (auto at = attempts_.begin(); at != attempts_.end(); ++at) all.push_back(at);
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::ranges::nth_element(all, middle, [](const auto& a, const auto& b) {
        return a->second.count != b->second.count ? a->second.count > b->second.count
                                                  : a->second.at < b->second.at;
    });
    for (auto at = middle; at != all.end(); ++at) attempts_.erase(*at);
    report_.more_attempts += static_cast<std::size_t>(all.end() - middle);
}

void Collector::keep_latest_changes() {
    std::ranges::sort(report_.changes, [](const Happening& a, const Happening& b) {
        return a.at != b.at ? a.at < b.at : a.text < b.text;
    });
    if (report_.changes.size() <= kChanges) return;
    const std::size_t older = report_.changes.size() - kChanges;
    report_.more_changes += older;
    report_.changes.erase(report_.changes.begin(),
                          report_.changes.begin() + static_cast<std::ptrdiff_t>(older));
}

void Collector::change(const Event& event) {
    if (event.kind == EventKind::hook && event.state == EventState::attached) return;
    std::string text = event.kind == EventKind::policy ? "policy" : "hook";
    if (event.state) text += " " + to_string(*event.state);
    if (event.hook) text += ": " + hook_name(*event.hook);
    if (!event.iface.empty()) text += " on " + event.iface;
    if (event.generation != 0) text += fmt::format(", generation {}", event.generation);
    if (!event.sha256.empty()) text += ", " + event.sha256.substr(0, 12);
    if (!event.detail.empty()) text += ", " + event.detail;
    report_.changes.push_back({.at = event.at, .text = std::move(text), .count = 1});
    if (report_.changes.size() >= 8 * kChanges) keep_latest_changes();
}

Report Collector::finish() {
    Report& report = report_;
    report.sources = ranked(sources_.now, sources_.before);
    report.ports = ranked(ports_.now, ports_.before);
    report.reasons = ranked(reasons_.now, reasons_.before);
    report.destinations = ranked(destinations_.now, destinations_.before);
    report.senders = ranked(senders_.now, senders_.before);
    report.why_not = ranked(why_not_.now, why_not_.before);
    report.limits = ranked(limits_.now, limits_.before);
    report.banned = ranked(banned_.now, banned_.before);
    for (auto& [text, attempt] : attempts_) report.attempts.push_back(std::move(attempt));
    std::ranges::sort(report.attempts, [](const Happening& a, const Happening& b) {
        return a.count != b.count ? a.count > b.count : a.text < b.text;
    });
    if (report.attempts.size() > kAttempts) {
        report.more_attempts += report.attempts.size() - kAttempts;
        report.attempts.resize(kAttempts);
    }
    keep_latest_changes();
    return std::move(report_);
}

} // namespace sallyport::report
