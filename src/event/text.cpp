// SPDX-License-Identifier: Apache-2.0
// Columns first, in an order that lets the eye run down them; facts that not
// every event has come after, each with a word or a shape of its own.
#include "event/text.h"

#include "base/duration.h"
#include "base/text.h"
#include "event/names.h"

#include <array>
#include <ctime>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>
#include <utility>

namespace sallyport {
namespace {

constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kDim = "\033[2m";
constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kCyan = "\033[36m";
constexpr std::string_view kAlarm = "\033[1;37;41m";

// ICMP types that an operator meets; others are shown as numbers.
struct IcmpName {
    std::uint8_t proto;
    std::uint8_t type;
    std::string_view name;
};
constexpr IcmpName kIcmpNames[] = {
    {1, 0, "echo-reply"},          {1, 3, "unreachable"},
    {1, 4, "source-quench"},       {1, 5, "redirect"},
    {1, 8, "echo-request"},        {1, 11, "time-exceeded"},
    {1, 12, "parameter"},          {1, 13, "timestamp"},
    {58, 1, "unreachable"},        {58, 2, "packet-too-big"},
    {58, 3, "time-exceeded"},      {58, 4, "parameter"},
    {58, 128, "echo-request"},     {58, 129, "echo-reply"},
    {58, 130, "mld-query"},        {58, 133, "router-solicit"},
    {58, 134, "router-advert"},    {58, 135, "neighbour-solicit"},
    {58, 136, "neighbour-advert"}, {58, 137, "redirect"},
    {58, 143, "mld2-report"},
};

std::string clock_text(WallTime at, Zone zone) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(at - seconds).count();
    const std::time_t when = seconds.time_since_epoch().count();
    std::tm parts{};
    if (zone == Zone::utc)
        gmtime_r(&when, &parts);
    else
        localtime_r(&when, &parts);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec, ms);
}

std::pair<std::string, std::string_view> verdict_of(const Event& event) {
    switch (event.kind) {
    case EventKind::drop:
        return {"DROP", kRed};
    case EventKind::would_drop:
        return {"WOULD DROP", kYellow};
    case EventKind::opened:
        return {"NEW", kGreen};
    case EventKind::lost:
        return {"LOST", kYellow};
    case EventKind::policy:
        return {"POLICY", kCyan};
    case EventKind::hook:
        return {"HOOK", kCyan};
    case EventKind::socket:
        return {"SOCKET", kYellow};
    case EventKind::ban:
        return {"BAN", kRed};
    case EventKind::unban:
        return {"UNBAN", kGreen};
    case EventKind::limit:
        return {"LIMIT", event.state == EventState::ends ? kGreen : kYellow};
    }
    return {"kind " + to_string(event.kind), kYellow};
}

std::string endpoint(const std::optional<Address>& address, std::optional<std::uint16_t> port) {
    if (!address) return "?";
    const std::string text = to_string(*address);
    if (!port) return text;
    return address->is_v4() ? fmt::format("{}:{}", text, *port)
                            : fmt::format("[{}]:{}", text, *port);
}

std::string ends_of(const Event& event) {
    if (!event.src && !event.dst) return "-";
    return fmt::format("{} > {}", endpoint(event.src, event.src_port),
                       endpoint(event.dst, event.dst_port));
}

std::string proto_text(const Event& event) {
    if (event.socket_family != 0) return socket_family_name(event.socket_family);
    if (event.proto) return proto_name(*event.proto);
    if (event.ethertype == 0x0806) return "arp";
    return event.ethertype != 0 ? fmt::format("0x{:04x}", event.ethertype) : "-";
}

std::string icmp_text(const Event& event) {
    for (const IcmpName& entry : kIcmpNames)
        if (entry.proto == event.proto && entry.type == event.icmp_type)
            return std::string(entry.name);
    return fmt::format("type {} code {}", *event.icmp_type, event.icmp_code.value_or(0));
}

std::string process_text(const Event& event) {
    std::string name = event.comm;
    if (name.empty()) name = event.exe.substr(event.exe.rfind('/') + 1);
    if (!event.pid) return escaped(name);
    return fmt::format("{}[{}]", name.empty() ? "pid" : escaped(name), *event.pid);
}

// Where the process belongs: the most telling of container, unit, cgroup.
std::string home_text(const Event& event) {
    if (!event.container_name.empty()) return "container " + escaped(event.container_name);
    if (!event.container.empty()) return "container " + escaped(event.container.substr(0, 12));
    if (!event.slurm_job.empty()) return "Slurm job " + escaped(event.slurm_job);
    return escaped(event.unit.empty() ? event.cgroup : event.unit);
}

class Tail {
  public:
    void add(std::string_view fact) {
        if (fact.empty()) return;
        text_ += "  ";
        text_ += fact;
    }
    [[nodiscard]] std::string take() && { return std::move(text_); }

  private:
    std::string text_;
};

std::string about_packet(const Event& event, Colour colour) {
    Tail tail;
    if (!event.src_name.empty()) tail.add("from " + escaped(event.src_name));
    if (!event.dst_name.empty()) tail.add("to " + escaped(event.dst_name));
    if (!event.rule.empty()) tail.add(fmt::format("rule \"{}\"", escaped(event.rule)));
    tail.add(process_text(event));
    tail.add(home_text(event));
    if (!event.gpus.empty())
        tail.add("holds " + escaped(fmt::format("{}", fmt::join(event.gpus, ", "))));
    if (event.icmp_type) tail.add(icmp_text(event));
    if (event.tcp_flags && *event.tcp_flags != 2)
        tail.add("flags " + tcp_flag_letters(*event.tcp_flags));
    if (!event.iface.empty()) tail.add("on " + escaped(event.iface));
    if (event.repeats != 1) tail.add(fmt::format("x{}", event.repeats));
    if (event.exfil)
        tail.add(colour == Colour::always ? fmt::format("{}EXFIL{}", kAlarm, kReset) : "EXFIL");
    return fmt::format("{:<8} {:<6} {:<43} {:<12}{}",
                       event.direction ? direction_name(*event.direction) : "-", proto_text(event),
                       ends_of(event), event.reason != 0 ? reason_name(event.reason) : "-",
                       std::move(tail).take());
}

std::string lost_text(const Event& event) {
    const std::string_view noun = event.count == 1 ? "event" : "events";
    if (!event.lost_by) return fmt::format("{} {}", event.count, noun);
    switch (*event.lost_by) {
    case LostBy::ring_full:
        return fmt::format("{} {}: the kernel's ring was full", event.count, noun);
    case LostBy::over_rate:
        return fmt::format("{} {}: over [events] per-second", event.count, noun);
    case LostBy::slow_reader:
        return fmt::format("{} {}: this reader was too slow and is cut off", event.count, noun);
    case LostBy::log_file:
        return fmt::format("{} {}: the log file could not be written", event.count, noun);
    case LostBy::journal:
        return fmt::format("{} {}: the journal did not take them", event.count, noun);
    }
    return {};
}

std::string policy_text(const Event& event) {
    Tail tail;
    tail.add(event.state ? to_string(*event.state) : "changed");
    if (event.generation != 0) tail.add(fmt::format("generation {}", event.generation));
    tail.add(escaped(event.file));
    tail.add(escaped(event.sha256.substr(0, 12)));
    tail.add(escaped(event.detail));
    return std::move(tail).take().substr(2);
}

std::string hook_text(const Event& event) {
    Tail tail;
    tail.add(event.state ? to_string(*event.state) : "changed");
    if (event.hook) tail.add(hook_name(*event.hook));
    if (!event.iface.empty()) tail.add("on " + escaped(event.iface));
    tail.add(escaped(event.detail));
    return std::move(tail).take().substr(2);
}

std::string socket_text(const Event& event) {
    Tail tail;
    tail.add(event.state ? to_string(*event.state) : "changed");
    tail.add(socket_family_name(event.socket_family));
    tail.add(process_text(event));
    tail.add(home_text(event));
    if (!event.iface.empty()) tail.add("on " + escaped(event.iface));
    if (event.qdisc_bypass) tail.add("past the NIC's hook (PACKET_QDISC_BYPASS)");
    tail.add(escaped(event.detail));
    return std::move(tail).take().substr(2);
}

std::string ban_text(const Event& event) {
    Tail tail;
    tail.add(event.network ? to_string(*event.network)
                           : fmt::format("{} network{}", event.count, event.count == 1 ? "" : "s"));
    if (event.kind == EventKind::ban)
        tail.add(event.seconds
                     ? fmt::format("for {}", to_string(std::chrono::seconds(*event.seconds)))
                     : "until it is lifted");
    tail.add(escaped(event.origin));
    tail.add(escaped(event.detail));
    return std::move(tail).take().substr(2);
}

std::string limit_text(const Event& event) {
    Tail tail;
    tail.add(event.state ? to_string(*event.state) : "changed");
    if (event.network) tail.add(to_string(*event.network));
    if (!event.rule.empty()) tail.add(fmt::format("rule \"{}\"", escaped(event.rule)));
    if (event.count != 0) tail.add(fmt::format("{} refused", event.count));
    tail.add(escaped(event.detail));
    return std::move(tail).take().substr(2);
}

std::string body_of(const Event& event, Colour colour) {
    switch (event.kind) {
    case EventKind::drop:
    case EventKind::would_drop:
    case EventKind::opened:
        return about_packet(event, colour);
    case EventKind::lost:
        return lost_text(event);
    case EventKind::policy:
        return policy_text(event);
    case EventKind::hook:
        return hook_text(event);
    case EventKind::socket:
        return socket_text(event);
    case EventKind::ban:
    case EventKind::unban:
        return ban_text(event);
    case EventKind::limit:
        return limit_text(event);
    }
    return about_packet(event, colour);
}

} // namespace

std::string to_text(const Event& event, Colour colour, Zone zone) {
    const auto [verdict, paint] = verdict_of(event);
    const std::string time = clock_text(event.at, zone);
    const std::string body = body_of(event, colour);
    if (colour == Colour::never) return fmt::format("{}  {:<10}  {}", time, verdict, body);
    return fmt::format("{}{}{}  {}{:<10}{}  {}", kDim, time, kReset, paint, verdict, kReset, body);
}

} // namespace sallyport
