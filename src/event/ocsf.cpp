// SPDX-License-Identifier: Apache-2.0
// OCSF 1.2.0: what is about a packet is Network Activity (4001) with the profiles of hosts and
// security controls, all else its base event. What it has no attribute for is "unmapped".
#include "event/names.h"
#include "event/shapes.h"
#include "sallyport/abi/types.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

// Numbers of its lists.
constexpr int kOpen = 1, kRefuse = 5, kTraffic = 6, kOther = 99;
constexpr int kAllowed = 1, kDenied = 2;
constexpr int kDispositionAllowed = 1, kDropped = 6, kLogged = 17;
constexpr int kUnknownDirection = 0, kInbound = 1, kOutbound = 2;
constexpr int kServer = 1, kRegularFile = 1;
constexpr int kClass = 4001, kCategory = 4;

struct Outcome {
    int activity;
    const char* activity_name;
    int action;
    int disposition;
};

Outcome outcome_of(const Event& event) {
    switch (event.kind) {
    case EventKind::drop:
        return {kRefuse, "Refuse", kDenied, kDropped};
    case EventKind::opened:
        return {kOpen, "Open", kAllowed, kDispositionAllowed};
    default:
        return {kTraffic, "Traffic", kAllowed, kLogged}; // observed
    }
}

std::int64_t milliseconds(WallTime at) {
    return std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count();
}

std::string file_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos || slash + 1 == path.size() ? path : path.substr(slash + 1);
}

// Something must be said of either end; a frame may have no addresses.
ordered_json endpoint(const Event& event, const std::optional<Address>& address,
                      const std::optional<std::uint16_t>& port, const std::string& name,
                      bool is_own) {
    ordered_json end = ordered_json::object();
    if (address) end["ip"] = to_string(*address);
    if (port) end["port"] = *port;
    if (is_own && !event.iface.empty()) end["interface_name"] = event.iface;
    if (is_own && !event.host.empty()) end["hostname"] = event.host;
    if (!name.empty()) end["hostname"] = name;
    if (end.empty() || (end.size() == 1 && end.contains("port"))) end["name"] = "unknown";
    return end;
}

ordered_json connection_of(const Event& event) {
    const int direction = event.direction == SP_INGRESS  ? kInbound
                          : event.direction == SP_EGRESS ? kOutbound
                                                         : kUnknownDirection;
    ordered_json connection{{"direction_id", direction}};
    if (event.proto) {
        connection["protocol_num"] = *event.proto;
        const std::string name = proto_name(*event.proto);
        if (name.find_first_not_of("0123456789") != std::string::npos)
            connection["protocol_name"] = name == "icmpv6" ? "ipv6-icmp" : name;
    }
    if (event.src) connection["protocol_ver_id"] = event.src->is_v4() ? 4 : 6;
    if (event.tcp_flags) connection["tcp_flags"] = *event.tcp_flags;
    return connection;
}

ordered_json process_of(const Event& event) {
    ordered_json process = ordered_json::object();
    if (event.pid) process["pid"] = *event.pid;
    if (process.empty()) return process; // it must be known by its number
    if (!event.comm.empty()) process["name"] = event.comm;
    if (!event.exe.empty())
        process["file"] = {
            {"name", file_name(event.exe)}, {"path", event.exe}, {"type_id", kRegularFile}};
    if (!event.cmdline.empty()) process["cmd_line"] = event.cmdline;
    if (event.ppid) process["parent_process"] = {{"pid", *event.ppid}};
    if (event.ppid && !event.parent.empty()) process["parent_process"]["name"] = event.parent;
    if (event.uid) process["user"] = {{"uid", fmt::to_string(*event.uid)}};
    if (!event.user.empty()) process["user"]["name"] = event.user;
    if (!event.container.empty()) process["container"] = {{"uid", event.container}};
    if (!event.container_name.empty()) process["container"]["name"] = event.container_name;
    return process;
}

ordered_json unmapped_of(const Event& event) {
    ordered_json rest = ordered_json::object();
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) rest[key] = value;
    };
    add("event", to_string(event.kind));
    if (event.lost_by)
        add("reason", to_string(*event.lost_by));
    else if (event.reason != 0)
        add("reason", reason_name(event.reason));
    if (event.exfil) rest["exfil"] = true;
    if (event.direction) add("direction", direction_name(*event.direction));
    if (event.hook) add("hook", hook_name(*event.hook));
    if (event.state) add("state", to_string(*event.state));
    if (event.len != 0) rest["len"] = event.len;
    if (event.icmp_type) rest["icmp_type"] = *event.icmp_type;
    if (event.icmp_code) rest["icmp_code"] = *event.icmp_code;
    if (event.ethertype != 0) add("ethertype", fmt::format("0x{:04x}", event.ethertype));
    add("cgroup", event.cgroup);
    add("unit", event.unit);
    add("slice", event.slice);
    add("slurm_job", event.slurm_job);
    add("slurm_step", event.slurm_step);
    if (!event.gpus.empty()) rest["gpus"] = event.gpus;
    if (event.generation != 0) rest["generation"] = event.generation;
    if (event.network) add("network", to_string(*event.network));
    add("origin", event.origin);
    if (event.seconds) rest["seconds"] = *event.seconds;
    if (event.count != 0) rest["count"] = event.count;
    add("file", event.file);
    add("sha256", event.sha256);
    add("detail", event.detail);
    return rest;
}

const char* severity_name(int severity) {
    constexpr const char* names[] = {"Unknown", "Informational", "Low", "Medium", "High"};
    return names[severity];
}

} // namespace

ordered_json to_ocsf(const Event& event) {
    const bool is_network = is_about_packet(event);
    const Outcome outcome = outcome_of(event);
    const int activity = is_network ? outcome.activity : kOther;
    const int uid = is_network ? kClass : 0;
    const int severity = severity_of(event);
    ordered_json metadata{{"version", "1.2.0"},
                          {"product", {{"name", "Sallyport"}, {"vendor_name", "Sallyport"}}}};
    if (is_network) {
        metadata["profiles"] = {"host", "security_control"};
        if (!event.container.empty()) metadata["profiles"].push_back("container");
    }
    if (event.seq != 0) metadata["sequence"] = event.seq;
    ordered_json object{
        {"class_uid", uid},
        {"class_name", is_network ? "Network Activity" : "Base Event"},
        {"category_uid", is_network ? kCategory : 0},
        {"category_name", is_network ? "Network Activity" : "Uncategorized"},
        {"activity_id", activity},
        {"activity_name", is_network ? outcome.activity_name : to_string(event.kind)},
        {"type_uid", uid * 100 + activity},
        {"severity_id", severity},
        {"severity", severity_name(severity)},
        {"time", milliseconds(event.at)},
        {"message", summary_of(event)},
        {"metadata", std::move(metadata)}};
    if (event.repeats != 1) {
        object["count"] = event.repeats;
        object["end_time"] = milliseconds(event.at); // that of the first is not known
    }
    if (is_network) {
        object["action_id"] = outcome.action;
        object["disposition_id"] = outcome.disposition;
        const bool is_sent = event.direction == SP_EGRESS;
        object["src_endpoint"] =
            endpoint(event, event.src, event.src_port, event.src_name, is_sent);
        object["dst_endpoint"] =
            endpoint(event, event.dst, event.dst_port, event.dst_name, !is_sent);
        object["connection_info"] = connection_of(event);
        if (!event.rule.empty()) object["firewall_rule"] = {{"name", event.rule}};
        object["device"] = {{"type_id", kServer}};
        if (!event.host.empty()) object["device"]["hostname"] = event.host;
        if (ordered_json process = process_of(event); !process.empty())
            object["actor"] = {{"process", std::move(process)}};
    }
    object["unmapped"] = unmapped_of(event);
    // The base event knows neither a host nor who acts there.
    if (!is_network) {
        if (!event.host.empty()) object["unmapped"]["host"] = event.host;
        if (ordered_json process = process_of(event); !process.empty())
            object["unmapped"]["process"] = std::move(process);
    }
    return object;
}

} // namespace sallyport
