// SPDX-License-Identifier: Apache-2.0
#include "explain/wall_asked.h"

#include "base/text.h"
#include "daemon/wall.h"
#include "explain/sender.h"
#include "kernel/apply.h"
#include "kernel/cgroups.h"
#include "kernel/interfaces.h"
#include "kernel/map.h"
#include "kernel/namespaces.h"
#include "kernel/pins.h"
#include "kernel/route_to.h"

#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>
#include <utility>

namespace sallyport::explain {
namespace {

constexpr unsigned kLoopback = 1; // in every namespace
constexpr std::uint32_t kNoUser = 0xffffffff;

std::string name_of(unsigned index) {
    std::array<char, IF_NAMESIZE> name{};
    return index != 0 && if_indextoname(index, name.data()) != nullptr ? name.data() : "";
}

Result<unsigned> index_of(const std::string& name) {
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0)
        return fail(ErrorKind::invalid_input, "no interface " + escaped(name), "see: ip link");
    return index;
}

Judged unjudged(unsigned on, std::string why) {
    return {.verdict = {.pass = true}, .on = name_of(on), .to = {}, .why = std::move(why)};
}

} // namespace

Result<WallAsked> WallAsked::open(const Paths& paths) {
    if (geteuid() != 0)
        return fail(ErrorKind::permission, "the wall's maps are for root only",
                    "run it as root: sudo sallyport explain");
    WallAsked wall(layout_dir_of(paths.bpffs));
    for (const auto& [fd, name] :
         {std::pair{&Maps::control, "sp_control"}, std::pair{&Maps::slots, "sp_slots"},
          std::pair{&Maps::ifaces, "sp_ifaces"}, std::pair{&Maps::local, "sp_local"}}) {
        Result<Fd> held = open_pinned(wall.layout_ + "/maps/" + name);
        if (!held && held.error().kind == ErrorKind::not_found) {
            const std::vector<std::string> others = other_layouts(paths.bpffs);
            if (!others.empty())
                return fail(ErrorKind::not_supported,
                            "a wall of another version stands in " + others.front(),
                            "ask the sallyport that raised it, or have this one take it over: run");
            return fail(ErrorKind::not_found, "no wall stands in " + paths.bpffs,
                        "start it: sallyport run; or name its place: --bpffs");
        }
        wall.held_.push_back(SP_TRY(std::move(held)));
        wall.maps_.*fd = wall.held_.back().get();
    }
    const Asker* asker = SP_TRY(wall.asker(AskAt::arriving, AskFlows::known));
    wall.settings_ = asker->settings();
    wall.slot_ = asker->slot();
    const Result<std::uint64_t> cookie = netns_cookie();
    if (cookie && wall.settings_.host_netns != 0 && *cookie != wall.settings_.host_netns)
        return fail(ErrorKind::conflict, "the wall stands in another network namespace",
                    "ask there: nsenter --net=/proc/PID/ns/net, with a process of that namespace");
    wall.generation_ = SP_TRY(read_slot(wall.maps_, wall.slot_)).generation;
    Result<std::optional<Enforced>> record = load_enforced(paths.state_dir, wall.generation_);
    if (record && *record && (*record)->generation == wall.generation_)
        wall.enforced_ = *std::move(record);
    wall.cgroup_mount_ = find_cgroup_mount();
    return wall;
}

Result<const Asker*> WallAsked::asker(AskAt at, AskFlows flows) {
    std::unique_ptr<Asker>& kept = askers_[{at, flows}];
    if (!kept)
        kept = std::make_unique<Asker>(
            SP_TRY(Asker::over_pins(layout_, {.slot = slot_, .flows = flows, .at = {at}})));
    return kept.get();
}

Result<Judgement> WallAsked::ask(AskAt at, const AskedOf& asked, Question question,
                                 AskFlows flows) {
    const Asker* asker = SP_TRY(this->asker(at, flows));
    std::vector<std::uint8_t> frame = asked.packet.bytes;
    const sp_iface iface = SP_TRY(describe(question.ifindex));
    // A frame stays as it is where frames arrive; elsewhere its own header is of no use.
    if (asked.packet.layer == Layer::ip || at == AskAt::sending || iface.link == SP_LINK_IP) {
        const std::span<const std::uint8_t> packet = ip_of(asked.packet);
        if (packet.empty())
            return fail(ErrorKind::invalid_input, "no IP packet, and nothing else is asked there",
                        "ask about an IP packet, or 'in' on an Ethernet interface");
        frame = SP_TRY(asker->framed(at, question.ifindex, packet));
    }
    question.at = at;
    question.packet = frame;
    return asker->ask(question);
}

Result<sp_iface> WallAsked::describe(unsigned index) const {
    return SP_TRY(map_lookup<sp_iface>(maps_.ifaces, std::uint32_t{index})).value_or(sp_iface{});
}

// Named, else by the route to who is on the other side, else the one that is guarded.
Result<unsigned> WallAsked::interface_of(const std::string& name, const AskedOf& asked) const {
    if (!name.empty()) return index_of(name);
    if (asked.fields) {
        const Address& remote = asked.way == Way::out ? asked.fields->dst : asked.fields->src;
        const std::optional<unsigned> routed = SP_TRY(route_to(remote));
        // Who has an address of ours comes by no route.
        if (routed && (*routed != kLoopback || asked.way == Way::out)) return *routed;
    }
    std::vector<unsigned> guarded;
    for (const Interface& interface : SP_TRY(list_interfaces()))
        if (SP_TRY(describe(interface.index)).guarded) guarded.push_back(interface.index);
    if (guarded.size() == 1) return guarded.front();
    std::string names;
    for (const unsigned index : guarded) names += (names.empty() ? "" : ", ") + name_of(index);
    return fail(ErrorKind::invalid_input, "no route says which interface it would cross",
                "add 'on INTERFACE'; guarded: " + (names.empty() ? "none" : names));
}

Result<Judged> WallAsked::judge(const AskedOf& asked) {
    const unsigned on = SP_TRY(interface_of(asked.on, asked));
    if (on == kLoopback) return unjudged(on, "loopback is never judged");
    return asked.way == Way::out ? judge_out(asked, on) : judge_in(asked, on);
}

Result<Judged> WallAsked::judge_in(const AskedOf& asked, unsigned on) {
    const sp_iface iface = SP_TRY(describe(on));
    Judged judged{.verdict = {.pass = true}, .on = name_of(on), .to = {}, .why = {}};
    if (!iface.guarded) {
        if (asked.fields && !SP_TRY(is_for_host(maps_.local, asked.fields->dst)))
            return judge_routed(asked, on, std::move(judged));
        return unjudged(on,
                        name_of(on) + " is not guarded: it admits all that arrives for this host");
    }
    judged.verdict = SP_TRY(ask(AskAt::arriving, asked, {.ifindex = on}));
    if (!judged.verdict.pass) return judged;
    if (judged.verdict.reason == 0 && !judged.verdict.opened)
        judged.by_flow = !SP_TRY(ask(AskAt::arriving, asked, {.ifindex = on}, AskFlows::none)).pass;
    if (judged.verdict.direction == SP_FORWARD && judged.verdict.reason == 0)
        return judge_routed(asked, on, std::move(judged));
    return judged;
}

// Netfilter's hook judges whatever is routed; TC's in its place stands where no XDP does.
Result<Judged> WallAsked::judge_routed(const AskedOf& asked, unsigned on, Judged judged) {
    unsigned out = 0;
    if (!asked.to.empty())
        out = SP_TRY(index_of(asked.to));
    else if (asked.fields)
        out = SP_TRY(route_to(asked.fields->dst)).value_or(0);
    judged.to = name_of(out);
    const bool guarded = SP_TRY(describe(on)).guarded != 0;
    if (settings_.forward_hook == SP_FORWARD_AT_NIC ||
        (settings_.forward_hook == SP_FORWARD_TC_INGRESS && guarded))
        return judged;
    const Judgement verdict = SP_TRY(ask(AskAt::routed, asked, {.ifindex = on, .out = out}));
    if (verdict.settled) {
        judged.verdict = verdict;
        judged.by_flow = false;
    } else {
        judged.why = "it is not routed: it stays on this host";
    }
    return judged;
}

Result<Judged> WallAsked::judge_out(const AskedOf& asked, unsigned on) {
    const std::string host_cgroup = enforced_ ? enforced_->cgroup : "/";
    const std::optional<std::string> path =
        SP_TRY(find_cgroup(asked.sender, cgroup_mount_, host_cgroup));
    Question question{.ifindex = on, .uid = asked.sender.user.value_or(kNoUser)};
    Judged judged{.verdict = {.pass = true}, .on = name_of(on), .to = {}, .why = {}};
    if (path && !is_below(*path, host_cgroup)) {
        // No hook of the cgroup's; at a guarded NIC it is nobody in particular.
        if (!SP_TRY(describe(on)).guarded)
            return unjudged(on, fmt::format("{} is not below [host] cgroup, and {} is not guarded",
                                            escaped(*path), name_of(on)));
        judged.verdict = SP_TRY(ask(AskAt::leaving, asked, question));
        return judged;
    }
    if (path) question.cgroup = SP_TRY(open_cgroup(cgroup_mount_, *path)).id;
    judged.verdict = SP_TRY(ask(AskAt::sending, asked, question));
    return judged;
}

} // namespace sallyport::explain
