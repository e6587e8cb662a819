// SPDX-License-Identifier: Apache-2.0
// Elastic Common Schema. What it has no field for is below "sallyport", as it asks of others.
#include "event/names.h"
#include "event/shapes.h"
#include "sallyport/abi/types.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

constexpr const char* kVersion = "9.0.0";

// kind, category and type are closed lists of its own.
struct Class {
    const char* kind;
    ordered_json category;
    ordered_json type;
};

Class class_of(const Event& event) {
    const char* kind = event.exfil ? "alert" : "event";
    switch (event.kind) {
    case EventKind::drop:
        return {kind, {"network"}, {"connection", "denied"}};
    case EventKind::would_drop:
        return {kind, {"network"}, {"connection", "allowed"}};
    case EventKind::opened:
        return {kind, {"network"}, {"connection", "start", "allowed"}};
    case EventKind::policy:
    case EventKind::hook:
        return {kind, {"configuration"}, {"change"}};
    case EventKind::lost:
        return {"pipeline_error", {"network"}, {"info"}};
    default:
        return {kind, {"network"}, {"info"}};
    }
}

ordered_json event_of(const Event& event) {
    const Class kind = class_of(event);
    ordered_json object{{"kind", kind.kind},
                        {"category", kind.category},
                        {"type", kind.type},
                        {"action", to_string(event.kind)},
                        {"severity", severity_of(event)},
                        {"module", "sallyport"},
                        {"dataset", "sallyport.events"},
                        {"provider", "sallyport"}};
    if (event.kind == EventKind::drop) object["outcome"] = "failure";
    if (event.kind == EventKind::would_drop || event.kind == EventKind::opened)
        object["outcome"] = "success";
    if (event.lost_by)
        object["reason"] = to_string(*event.lost_by);
    else if (event.reason != 0)
        object["reason"] = reason_name(event.reason);
    if (event.seq != 0) object["sequence"] = event.seq;
    return object;
}

ordered_json end_of(const std::optional<Address>& address, const std::optional<std::uint16_t>& port,
                    const std::string& name) {
    ordered_json end = ordered_json::object();
    if (address) end["ip"] = end["address"] = to_string(*address);
    if (port) end["port"] = *port;
    if (!name.empty()) end["domain"] = name;
    return end;
}

ordered_json network_of(const Event& event) {
    ordered_json network = ordered_json::object();
    if (event.proto) {
        const std::string name = proto_name(*event.proto);
        if (name.find_first_not_of("0123456789") != std::string::npos)
            network["transport"] = name == "icmpv6" ? "ipv6-icmp" : name;
        network["iana_number"] = fmt::to_string(*event.proto);
    }
    if (event.src) network["type"] = event.src->is_v4() ? "ipv4" : "ipv6";
    if (event.direction == SP_INGRESS || event.direction == SP_EGRESS)
        network["direction"] = direction_name(*event.direction);
    if (event.len != 0) network["bytes"] = event.len * event.repeats;
    if (is_about_packet(event)) network["packets"] = event.repeats;
    return network;
}

ordered_json process_of(const Event& event) {
    ordered_json process = ordered_json::object();
    if (event.pid) process["pid"] = *event.pid;
    if (!event.comm.empty()) process["name"] = event.comm;
    if (!event.exe.empty()) process["executable"] = event.exe;
    if (!event.cmdline.empty()) process["command_line"] = event.cmdline;
    if (event.ppid) process["parent"] = {{"pid", *event.ppid}};
    if (!event.parent.empty()) process["parent"]["name"] = event.parent;
    if (event.uid) process["user"] = {{"id", fmt::to_string(*event.uid)}};
    if (!event.user.empty()) process["user"]["name"] = event.user;
    return process;
}

ordered_json observer_of(const Event& event) {
    ordered_json observer{{"type", "firewall"}, {"product", "Sallyport"}, {"vendor", "Sallyport"}};
    if (!event.host.empty()) observer["hostname"] = event.host;
    if (!event.iface.empty())
        observer[event.direction == SP_EGRESS ? "egress" : "ingress"] = {
            {"interface", {{"name", event.iface}}}};
    return observer;
}

ordered_json own_of(const Event& event) {
    ordered_json own = ordered_json::object();
    const auto add = [&](const char* key, const std::string& value) {
        if (!value.empty()) own[key] = value;
    };
    if (event.exfil) own["exfil"] = true;
    if (event.direction) own["direction"] = direction_name(*event.direction);
    if (event.hook) own["hook"] = hook_name(*event.hook);
    if (event.state) own["state"] = to_string(*event.state);
    if (event.tcp_flags) own["tcp_flags"] = tcp_flag_letters(*event.tcp_flags);
    if (event.icmp_type) own["icmp_type"] = *event.icmp_type;
    if (event.icmp_code) own["icmp_code"] = *event.icmp_code;
    if (event.ethertype != 0) own["ethertype"] = fmt::format("0x{:04x}", event.ethertype);
    add("cgroup", event.cgroup);
    add("unit", event.unit);
    add("slice", event.slice);
    add("slurm_job", event.slurm_job);
    add("slurm_step", event.slurm_step);
    if (!event.gpus.empty()) own["gpus"] = event.gpus;
    if (event.repeats != 1) own["repeats"] = event.repeats;
    if (event.generation != 0) own["generation"] = event.generation;
    if (event.network) own["network"] = to_string(*event.network);
    add("origin", event.origin);
    if (event.seconds) own["seconds"] = *event.seconds;
    if (event.count != 0) own["count"] = event.count;
    add("detail", event.detail);
    return own;
}

} // namespace

ordered_json to_ecs(const Event& event) {
    ordered_json object{{"@timestamp", timestamp_text(event.at)},
                        {"ecs", {{"version", kVersion}}},
                        {"message", summary_of(event)},
                        {"event", event_of(event)}};
    const auto add = [&](const char* key, ordered_json part) {
        if (!part.empty()) object[key] = std::move(part);
    };
    add("source", end_of(event.src, event.src_port, event.src_name));
    add("destination", end_of(event.dst, event.dst_port, event.dst_name));
    add("network", network_of(event));
    add("observer", observer_of(event));
    if (!event.host.empty()) object["host"] = {{"name", event.host}, {"hostname", event.host}};
    if (!event.rule.empty()) object["rule"] = {{"name", event.rule}};
    add("process", process_of(event));
    if (!event.container.empty()) object["container"] = {{"id", event.container}};
    if (!event.container_name.empty()) object["container"]["name"] = event.container_name;
    if (!event.unit.empty()) object["service"] = {{"name", event.unit}};
    if (!event.file.empty()) {
        object["file"] = {{"path", event.file}};
        if (!event.sha256.empty()) object["file"]["hash"] = {{"sha256", event.sha256}};
    }
    add("sallyport", own_of(event));
    return object;
}

} // namespace sallyport
