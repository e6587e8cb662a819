// SPDX-License-Identifier: Apache-2.0
// Both ways between the value and docs' JSON; the two functions are read side by side.
#include "daemon/status.h"

#include "base/json_words.h"

namespace sallyport {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json or_null(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

// Empty for null and for what is missing; throws json::exception for another type.
std::string text_in(const json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? std::string{} : at->get<std::string>();
}

json part_of(const json& object, const char* key, const json& otherwise) {
    const auto at = object.find(key);
    return at == object.end() ? otherwise : *at;
}

HookStatus hook_from(const json& object) {
    return {.hook = text_in(object, "hook"),
            .iface = text_in(object, "iface"),
            .mode = text_in(object, "mode"),
            .attached = object.value("attached", false),
            .admitted = object.value("admitted", std::uint64_t{0}),
            .dropped = object.value("dropped", std::uint64_t{0}),
            .admitted_bytes = object.value("admitted_bytes", std::uint64_t{0}),
            .dropped_bytes = object.value("dropped_bytes", std::uint64_t{0})};
}

RuleStatus rule_from(const json& object) {
    return {.name = text_in(object, "name"),
            .direction = text_in(object, "direction"),
            .admitted = object.value("admitted", std::uint64_t{0}),
            .limited = object.value("limited", std::uint64_t{0}),
            .bytes = object.value("bytes", std::uint64_t{0}),
            .denied = object.value("denied", std::uint64_t{0})};
}

PacketSocketStatus packet_socket_from(const json& object) {
    return {.pid = object.value("pid", std::uint32_t{0}),
            .comm = text_in(object, "comm"),
            .exe = text_in(object, "exe"),
            .uid = object.value("uid", std::uint32_t{0}),
            .cgroup = text_in(object, "cgroup"),
            .unit = text_in(object, "unit"),
            .family = text_in(object, "family"),
            .ethertype = text_in(object, "ethertype"),
            .iface = text_in(object, "iface"),
            .netns = text_in(object, "netns"),
            .qdisc_bypass = object.value("qdisc_bypass", false)};
}

ordered_json packet_socket_to_json(const PacketSocketStatus& socket) {
    return {{"pid", socket.pid},
            {"comm", socket.comm},
            {"exe", or_null(socket.exe)},
            {"uid", socket.uid},
            {"cgroup", or_null(socket.cgroup)},
            {"unit", or_null(socket.unit)},
            {"family", socket.family},
            {"ethertype", or_null(socket.ethertype)},
            {"iface", or_null(socket.iface)},
            {"netns", socket.netns},
            {"qdisc_bypass", socket.qdisc_bypass}};
}

StatusView view_from(const json& object) {
    StatusView view;
    if (object.contains("state")) view.state = text_in(object, "state");
    view.why = text_in(object, "why");
    view.mode = text_in(object, "mode");
    view.generation = object.value("generation", std::uint32_t{0});
    view.trial = part_of(object, "trial", nullptr);
    const json policy = part_of(object, "policy", json::object());
    view.policy_file = text_in(policy, "file");
    view.policy_sha256 = text_in(policy, "sha256");
    view.policy_applied = text_in(policy, "applied");
    view.policy_by = text_in(policy, "by");
    for (const json& hook : part_of(object, "hooks", json::array()))
        view.hooks.push_back(hook_from(hook));
    view.reasons =
        part_of(object, "reasons", json::object()).get<std::map<std::string, std::uint64_t>>();
    for (const json& rule : part_of(object, "rules", json::array()))
        view.rules.push_back(rule_from(rule));
    const json flows = part_of(object, "flows", json::object());
    view.flow_entries = flows.value("entries", std::uint64_t{0});
    view.flow_max = flows.value("max", std::uint64_t{0});
    view.flow_refused = flows.value("refused", std::uint64_t{0});
    const json cookies = part_of(object, "cookies", json::object());
    view.cookies_sent = cookies.value("sent", std::uint64_t{0});
    view.cookies_taken = cookies.value("taken", std::uint64_t{0});
    const json challenges = part_of(object, "challenges", json::object());
    view.challenged = challenges.value("sent", std::uint64_t{0});
    view.proofs_lost = challenges.value("lost", std::uint64_t{0});
    const json answers = part_of(object, "answers", json::object());
    view.answers = answers.value("heard", std::uint64_t{0});
    view.answers_lost = answers.value("lost", std::uint64_t{0});
    view.bans_active = part_of(object, "bans", json::object()).value("active", std::uint64_t{0});
    for (const json& jail : part_of(object, "jails", json::array()))
        view.jails.push_back(
            {.name = jail.value("name", ""),
             .lines = jail.value("lines", std::uint64_t{0}),
             .matched = jail.value("matched", std::uint64_t{0}),
             .bans = jail.value("bans", std::uint64_t{0}),
             .files = part_of(jail, "files", json::array()).get<std::vector<std::string>>(),
             .why = text_in(jail, "why")});
    const json events = part_of(object, "events", json::object());
    view.events_sent = events.value("sent", std::uint64_t{0});
    view.events_folded = events.value("folded", std::uint64_t{0});
    view.events_lost = events.value("lost", std::uint64_t{0});
    view.events_lost_by =
        part_of(events, "lost_by", json::object()).get<std::map<std::string, std::uint64_t>>();
    view.captures_lost = events.value("captures_lost", std::uint64_t{0});
    view.version = text_in(object, "version");
    view.waiting = part_of(object, "waiting", json::array()).get<std::vector<std::string>>();
    view.blind = part_of(object, "blind", json::array()).get<std::vector<std::string>>();
    if (const json sockets = part_of(object, "packet_sockets", nullptr); !sockets.is_null()) {
        view.packet_sockets.emplace();
        for (const json& socket : sockets)
            view.packet_sockets->push_back(packet_socket_from(socket));
    }
    return view;
}

} // namespace

ordered_json to_json(const StatusView& status) {
    ordered_json hooks = ordered_json::array();
    for (const HookStatus& hook : status.hooks)
        hooks.push_back({{"hook", hook.hook},
                         {"iface", or_null(hook.iface)},
                         {"mode", or_null(hook.mode)},
                         {"attached", hook.attached},
                         {"admitted", hook.admitted},
                         {"dropped", hook.dropped},
                         {"admitted_bytes", hook.admitted_bytes},
                         {"dropped_bytes", hook.dropped_bytes}});
    ordered_json rules = ordered_json::array();
    for (const RuleStatus& rule : status.rules)
        rules.push_back({{"name", rule.name},
                         {"direction", rule.direction},
                         {"admitted", rule.admitted},
                         {"limited", rule.limited},
                         {"bytes", rule.bytes},
                         {"denied", rule.denied}});
    ordered_json sockets = nullptr;
    if (status.packet_sockets) {
        sockets = ordered_json::array();
        for (const PacketSocketStatus& socket : *status.packet_sockets)
            sockets.push_back(packet_socket_to_json(socket));
    }
    ordered_json jails = ordered_json::array();
    for (const JailStatus& jail : status.jails)
        jails.push_back({{"name", jail.name},
                         {"lines", jail.lines},
                         {"matched", jail.matched},
                         {"bans", jail.bans},
                         {"files", jail.files},
                         {"why", or_null(jail.why)}});
    ordered_json reasons = ordered_json::object();
    for (const auto& [reason, count] : status.reasons) reasons[reason] = count;
    ordered_json lost_by = ordered_json::object();
    for (const auto& [where, count] : status.events_lost_by) lost_by[where] = count;
    return {{"state", status.state},
            {"why", or_null(status.why)},
            {"mode", or_null(status.mode)},
            {"generation", status.generation},
            {"trial", status.trial},
            {"policy",
             {{"file", or_null(status.policy_file)},
              {"sha256", or_null(status.policy_sha256)},
              {"applied", or_null(status.policy_applied)},
              {"by", or_null(status.policy_by)}}},
            {"hooks", hooks},
            {"reasons", reasons},
            {"rules", rules},
            {"flows",
             {{"entries", status.flow_entries},
              {"max", status.flow_max},
              {"refused", status.flow_refused}}},
            {"cookies", {{"sent", status.cookies_sent}, {"taken", status.cookies_taken}}},
            {"challenges", {{"sent", status.challenged}, {"lost", status.proofs_lost}}},
            {"answers", {{"heard", status.answers}, {"lost", status.answers_lost}}},
            {"bans", {{"active", status.bans_active}}},
            {"jails", jails},
            {"events",
             {{"sent", status.events_sent},
              {"folded", status.events_folded},
              {"lost", status.events_lost},
              {"lost_by", lost_by},
              {"captures_lost", status.captures_lost}}},
            {"packet_sockets", sockets},
            {"version", or_null(status.version)},
            {"waiting", status.waiting},
            {"blind", status.blind}};
}

Result<StatusView> status_from_json(const json& object) {
    try {
        return view_from(object);
    } catch (const json::exception& error) {
        return fail(ErrorKind::internal, "the status makes no sense: " + json_words(error.what()),
                    "is the daemon of another version? its wall stands; restart it: systemctl "
                    "restart sallyport");
    }
}

} // namespace sallyport
