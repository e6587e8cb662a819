// SPDX-License-Identifier: Apache-2.0
// Suricata's EVE, by etc/schema.json of 8.0: nothing but what it names may be there. What it has no
// place for is among the variables of a flow, under names of ours.
#include "event/names.h"
#include "event/shapes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

constexpr int kSignatures = 9000000; // and the reason's number: local ones begin at 1000000

// As it writes protocols: names in capitals, else a number of three digits.
std::string protocol(std::uint8_t number) {
    switch (number) {
    case 1:
        return "ICMP";
    case 6:
        return "TCP";
    case 17:
        return "UDP";
    case 58:
        return "IPv6-ICMP";
    case 132:
        return "SCTP";
    default:
        return fmt::format("{:03}", number);
    }
}

// With an offset: its pattern does not know "Z".
std::string stamp(WallTime at) {
    std::string text = timestamp_text(at);
    text.replace(text.size() - 1, 1, "+0000");
    return text;
}

ordered_json drop_of(const Event& event) {
    ordered_json drop = ordered_json::object();
    if (event.len != 0) drop["len"] = event.len;
    if (event.tcp_flags) {
        constexpr std::pair<const char*, unsigned> bits[] = {{"fin", 1}, {"syn", 2},  {"rst", 4},
                                                             {"psh", 8}, {"ack", 16}, {"urg", 32}};
        for (const auto& [name, bit] : bits) drop[name] = (*event.tcp_flags & bit) != 0;
    }
    drop["reason"] = reason_name(event.reason);
    return drop;
}

ordered_json alert_of(const Event& event) {
    const bool is_drop = event.kind == EventKind::drop;
    return {{"action", is_drop ? "blocked" : "allowed"},
            {"gid", 1},
            {"signature_id", kSignatures + event.reason},
            {"rev", 1},
            {"signature",
             fmt::format("Sallyport {}{}", is_drop ? "refused" : "would have refused",
                         event.exfil ? ", exfiltration attempt: " + reason_name(event.reason)
                                     : ": " + reason_name(event.reason))},
            {"category", event.exfil ? "Attempted Information Leak" : "Potentially Bad Traffic"},
            {"severity", event.exfil ? 1 : 3}}; // 1 is the worst
}

ordered_json variables_of(const Event& event) {
    ordered_json variables = ordered_json::array();
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty())
            variables.push_back({{"key", std::string("sallyport.") + key}, {"value", value}});
    };
    const auto add_number = [&](const char* key, const auto& value) {
        add(key, fmt::to_string(value));
    };
    if (event.seq != 0) add_number("seq", event.seq);
    add("rule", event.rule);
    add("src_name", event.src_name);
    add("dst_name", event.dst_name);
    if (event.exfil) add("exfil", "true");
    if (event.hook) add("hook", hook_name(*event.hook));
    if (event.pid) add_number("pid", *event.pid);
    add("comm", event.comm);
    add("exe", event.exe);
    add("cmdline", event.cmdline);
    if (event.ppid) add_number("ppid", *event.ppid);
    add("parent", event.parent);
    if (event.uid) add_number("uid", *event.uid);
    add("user", event.user);
    add("cgroup", event.cgroup);
    add("unit", event.unit);
    add("slice", event.slice);
    add("container", event.container);
    add("container_name", event.container_name);
    add("slurm_job", event.slurm_job);
    add("slurm_step", event.slurm_step);
    add("gpus", fmt::format("{}", fmt::join(event.gpus, " ")));
    if (event.repeats != 1) add_number("repeats", event.repeats);
    if (event.generation != 0) add_number("generation", event.generation);
    return variables;
}

void add_ends(ordered_json& object, const Event& event) {
    if (event.src) object["src_ip"] = to_string(*event.src);
    if (event.src_port) object["src_port"] = *event.src_port;
    if (event.dst) object["dest_ip"] = to_string(*event.dst);
    if (event.dst_port) object["dest_port"] = *event.dst_port;
    if (event.proto) object["proto"] = protocol(*event.proto);
    if (event.src) object["ip_v"] = event.src->is_v4() ? 4 : 6;
    if (event.icmp_type) object["icmp_type"] = *event.icmp_type;
    if (event.icmp_code) object["icmp_code"] = *event.icmp_code;
}

} // namespace

ordered_json to_eve(const Event& event) {
    ordered_json object{{"timestamp", stamp(event.at)}};
    const auto begin = [&](const char* type) {
        object["event_type"] = type;
        if (!event.host.empty()) object["host"] = event.host;
        if (!event.iface.empty()) object["in_iface"] = event.iface;
        add_ends(object, event);
    };
    switch (event.kind) {
    case EventKind::drop:
        begin("drop");
        object["drop"] = drop_of(event);
        object["verdict"] = {{"action", "drop"}};
        if (event.exfil) object["alert"] = alert_of(event);
        break;
    case EventKind::would_drop:
        begin("alert");
        object["alert"] = alert_of(event);
        object["verdict"] = {{"action", "pass"}};
        break;
    case EventKind::opened:
        begin("flow");
        object["flow"] = {{"start", stamp(event.at)}, {"state", "new"}, {"action", "accept"}};
        break;
    default:
        begin("engine");
        object["log_level"] = severity_of(event) >= 3 ? "Warning" : "Notice";
        object["engine"] = {{"message", summary_of(event)}, {"module", "sallyport"}};
    }
    if (ordered_json variables = variables_of(event); !variables.empty())
        object["metadata"] = {{"flowvars", std::move(variables)}};
    return object;
}

} // namespace sallyport
