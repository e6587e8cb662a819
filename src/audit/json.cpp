// SPDX-License-Identifier: Apache-2.0
#include "audit/json.h"

#include <algorithm>

namespace sallyport::audit {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

const char* to_string(Known known) {
    switch (known) {
    case Known::no:
        return "not known";
    case Known::partly:
        return "partly known";
    case Known::yes:
        return "known";
    }
    return "not known";
}

Json process_json(const Listener& listener) {
    const Process none;
    const bool is_seen = listener.process.has_value();
    const Process& process = is_seen ? *listener.process : none;
    return {{"pid", is_seen ? Json(process.pid) : Json(nullptr)},
            {"pids", listener.pids},
            {"comm", text_or_null(process.comm)},
            {"exe", text_or_null(process.exe)},
            {"argv", is_seen ? Json(process.argv) : Json(nullptr)},
            {"uid", is_seen ? process.uid : listener.uid},
            {"user", text_or_null(process.user)},
            {"unit", text_or_null(process.unit)},
            {"cgroup", text_or_null(process.cgroup)},
            {"container", text_or_null(process.container)}};
}

Json service_json(const std::optional<Service>& service) {
    if (!service) return nullptr;
    return {{"name", service->name},
            {"title", service->title},
            {"kind", service->kind},
            {"danger", audit::to_string(service->danger)},
            {"expose", audit::to_string(service->expose)},
            {"auth", service->auth},
            {"why", service->why}};
}

Json way_json(const Way& way) {
    return {{"how", way.how},
            {"interface", text_or_null(way.interface)},
            {"guarded", way.shield == Shield::rules},
            {"port", way.port},
            {"from", way.sources.from},
            {"partly", way.sources.partly},
            {"networks", way.sources.networks},
            {"networks_left_out", way.sources.networks_left_out}};
}

Json published_json(const Judged& judged, const Machine& machine) {
    if (machine.nat.known == Known::no && judged.published.empty()) return nullptr;
    Json list = Json::array();
    for (const Publication& one : judged.published)
        list.push_back({{"address", one.at ? Json(sallyport::to_string(*one.at)) : Json(nullptr)},
                        {"low", one.low},
                        {"high", one.high},
                        {"interface", text_or_null(one.interface)},
                        {"by", one.by}});
    return list;
}

const Place* place_at(const Machine& machine, std::uint64_t inode) {
    const auto at = std::ranges::find(machine.places, inode, &Place::inode);
    return at == machine.places.end() ? nullptr : &*at;
}

} // namespace

Json to_json(const Judged& judged, const Machine& machine) {
    const Listener& listener = judged.listener;
    const Place* place = place_at(machine, listener.place);
    const bool is_raw = listener.proto == kRaw;
    Json object{{"proto", proto_name(listener.proto)},
                {"family", is_dual(listener)          ? "dual"
                           : listener.address.is_v4() ? "ipv4"
                                                      : "ipv6"},
                {"address", sallyport::to_string(listener.address)},
                {"port", is_raw ? Json(nullptr) : Json(listener.port)},
                {"raw_protocol", is_raw ? Json(listener.port) : Json(nullptr)},
                {"interface", text_or_null(listener.interface)},
                {"sockets", listener.sockets},
                {"namespace", place != nullptr && place->is_host ? "host" : "other"},
                {"netns", listener.place}};
    object.update(process_json(listener));
    object["service"] = service_json(judged.service);
    object["state"] = to_string(judged.state);
    object["danger"] = audit::to_string(judged.danger);
    object["declared"] = !judged.rules.empty();
    object["rules"] = judged.rules;
    object["reach"] = Json::array();
    for (const Way& way : judged.ways) object["reach"].push_back(way_json(way));
    object["published"] = published_json(judged, machine);
    object["finding"] = judged.is_finding();
    object["advice"] = text_or_null(judged.advice);
    return object;
}

Json to_json(const Report& report, const Machine& machine, const std::optional<PolicyNote>& policy,
             const Catalogue& catalogue) {
    Json namespaces = Json::array();
    for (const Place& place : machine.places)
        namespaces.push_back({{"netns", place.inode},
                              {"host", place.is_host},
                              {"pid", place.pid == 0 ? Json(nullptr) : Json(place.pid)},
                              {"container", text_or_null(place.container)}});
    Json object{{"wall", to_string(report.wall)},
                {"policy", policy ? Json{{"file", policy->file},
                                         {"sha256", policy->sha256},
                                         {"changed", policy->is_changed}}
                                  : Json(nullptr)},
                {"services", catalogue.services.size()},
                {"namespaces", std::move(namespaces)},
                {"nat", to_string(machine.nat.known)},
                {"nat_notes", machine.nat.notes},
                {"unseen", machine.unseen},
                {"findings", report.findings()},
                {"listeners", Json::array()}};
    for (const Judged& judged : report.listeners)
        object["listeners"].push_back(to_json(judged, machine));
    return object;
}

} // namespace sallyport::audit
