// SPDX-License-Identifier: Apache-2.0
#include "daemon/wall.h"

#include "compile/compile.h"
#include "kernel/apply.h"
#include "kernel/connections.h"
#include "kernel/flows.h"
#include "kernel/map.h"
#include "kernel/namespaces.h"
#include "kernel/trial.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>
#include <net/if.h>
#include <sstream>

namespace sallyport {
namespace {

constexpr std::size_t kGenerationsNamed = 8;
constexpr std::uint32_t kSecondsToRecount = 60;

std::string now_rfc3339() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

// The settings of what stands, read without loading anything.
Result<sp_settings> standing_settings(const Pins& pins) {
    const Fd meta = SP_TRY(open_pinned(pins.map("sp_meta")));
    const std::uint32_t zero = 0;
    const std::optional<sp_settings> settings = SP_TRY(map_lookup<sp_settings>(meta.get(), zero));
    return settings.value_or(sp_settings{});
}

// What the kernel enforces, by the same way.
Result<sp_slot> standing_slot(const Pins& pins) {
    const Fd control = SP_TRY(open_pinned(pins.map("sp_control")));
    const Fd slots = SP_TRY(open_pinned(pins.map("sp_slots")));
    Maps maps;
    maps.control = control.get();
    maps.slots = slots.get();
    const ControlState state = SP_TRY(control_state(maps));
    return read_slot(maps, state.slot);
}

// Without a record: where the wall stands, as the pins tell. The hooks must not
// move to other NICs or another cgroup because a file of ours is gone.
Result<Enforced> recover_enforced(const Pins& pins, const sp_settings& settings) {
    Enforced enforced;
    std::optional<std::string> cgroup =
        OwnerNames(system_owner_sources("/")).cgroup_path(settings.host_cgroup);
    if (!cgroup)
        return fail(ErrorKind::not_found, "the cgroup that the standing wall binds is gone",
                    "sallyport down, then run again");
    enforced.cgroup = *std::move(cgroup);
    const Fd ifaces = SP_TRY(open_pinned(pins.map("sp_ifaces")));
    for (const std::string& pin : pins.links()) {
        for (const std::string prefix : {"xdp-native-", "xdp-generic-"}) {
            if (!pin.starts_with(prefix)) continue;
            const std::string name = pin.substr(prefix.size());
            enforced.interfaces.push_back(name);
            const std::uint32_t index = if_nametoindex(name.c_str());
            const std::optional<sp_iface> iface = SP_TRY(map_lookup<sp_iface>(ifaces.get(), index));
            if (index != 0 && iface) enforced.nic_counters[name] = iface->counter;
        }
    }
    return enforced;
}

} // namespace

std::string find_cgroup_mount() {
    std::ifstream in("/proc/self/mountinfo");
    std::stringstream text;
    text << in.rdbuf();
    return cgroup2_mount(text.str()).value_or("");
}

Wall::Wall(Pins pins, Programs programs, std::string state_dir)
    : pins_(std::move(pins)), programs_(std::move(programs)), state_dir_(std::move(state_dir)),
      cgroup_mount_(find_cgroup_mount()), vlan_offloads_(state_dir_), settings_(state_dir_) {}

Result<Wall> Wall::adopt(Pins pins, const std::string& state_dir, WallNews& news) {
    std::optional<Enforced> enforced;
    const sp_slot standing = SP_TRY(standing_slot(pins).context("adopting the standing wall"));
    Result<std::optional<Enforced>> recorded = load_enforced(state_dir, standing.generation);
    if (recorded)
        enforced = *std::move(recorded);
    else
        news.notes.push_back(recorded.error().text());

    sp_settings settings = SP_TRY(standing_settings(pins).context("adopting the standing wall"));
    const bool is_recorded = enforced.has_value();
    if (!is_recorded) {
        news.notes.push_back("the names of what is enforced are lost; rules are shown by number "
                             "until the policy is loaded again (SIGHUP)");
        enforced = SP_TRY(recover_enforced(pins, settings));
        enforced->observe = (standing.flags & SP_SLOT_OBSERVE) != 0;
        if (standing.flags & SP_SLOT_PACKET_DENY)
            enforced->packet_sockets = to_string(PacketSockets::deny);
    }
    const bool is_exact = is_recorded && enforced->generation == standing.generation;
    const Cgroup cgroup = SP_TRY(open_cgroup(find_cgroup_mount(), enforced->cgroup));
    settings.host_cgroup = cgroup.id;
    settings.host_level = cgroup.level;
    settings.host_netns = SP_TRY(netns_cookie());
    settings.forward_hook = SP_FORWARD_NETFILTER;
    const std::string layout = pins.layout_dir();
    Programs programs = SP_TRY(Programs::load({.settings = settings, .pin_dir = layout}));
    Wall wall(std::move(pins), std::move(programs), state_dir);
    wall.flow_sets_ = settings.flow_sets;
    wall.enforced_ = *std::move(enforced);
    wall.enforced_.flow_max = settings.flow_max;
    SP_TRY(wall.read_interfaces());
    SP_TRY(wall.write_locals());
    SP_TRY(wall.adopt_trial(news));
    const ControlState control = SP_TRY(control_state(wall.programs_.maps()));
    const sp_slot slot = SP_TRY(read_slot(wall.programs_.maps(), control.slot));
    if (wall.enforced_.generation != slot.generation) {
        news.notes.push_back(fmt::format("the record names generation {}, the kernel enforces {}",
                                         wall.enforced_.generation, slot.generation));
        // Of another policy: which one stands nobody can say, nor may that one take its place.
        const bool observes = (slot.flags & SP_SLOT_OBSERVE) != 0;
        wall.enforced_ = without_record(wall.enforced_, slot.generation, observes);
    }
    // Whatever the record says, or has lost.
    if (wall.trial_ && is_panic(slot, control)) wall.enforced_.panic = true;
    wall.rules_of_[slot.generation] = wall.enforced_.rules;
    // It may have been staged only; the next one to be staged must not take its place.
    if (is_recorded && !wall.trial_ && stage_enforced(state_dir, wall.enforced_))
        static_cast<void>(settle_enforced(state_dir));
    // A wall of an earlier version has no globs for what holds newcomers shut.
    if (is_exact)
        SP_TRY(fill_globs(wall.programs_.maps(), control.slot, wall.enforced_.interfaces));
    wall.open_bans(news);
    SP_TRY(wall.hooks_.install_owners(wall.programs_, wall.pins_, cgroup));
    // Of a start that was taking another version's wall over when it was killed.
    SP_TRY(wall.pins_.take_links(cgroup.id));
    wall.find_pinned_nics(news);
    SP_TRY(wall.write_ifaces(control.slot, nullptr));
    if (slot.flags & SP_SLOT_PACKET_DENY || wall.hooks_.has_sockets(wall.pins_))
        wall.deny_packet_sockets(news);
    SP_TRY(wall.install(cgroup, wall.enforced_.xdp, OnRefusal::keep_trying, KeepRunning::no, news));
    SP_TRY(wall.pins_.forget_others());
    return wall;
}

Status Wall::install(const Cgroup& cgroup, XdpMode mode, OnRefusal how, KeepRunning keep,
                     WallNews& news) {
    if (!programs_.refusal().empty())
        news.warnings.push_back(
            fmt::format("this kernel refused what it should take ({}); what stands in its place "
                        "is in `status`, please report this",
                        programs_.refusal()));
    SP_TRY(programs_.pin_programs(pins_.layout_dir()));
    programs_.keep_running(keep);
    SP_TRY(
        run_iterator(programs_.fd(Program::owners)).context("naming the owners of open sockets"));
    SP_TRY(hooks_.install_cgroup(programs_, pins_, cgroup));
    // Before the NICs' own: TC passes what it takes for judged.
    SP_TRY(hooks_.install_forward(programs_, pins_));
    SP_TRY(guard_nics(mode, how, news));
    judge_routed(news);
    // Last: what stands aside or is refused keeps nobody out before the wall is whole.
    const Status held = hooks_.install_hold(programs_, pins_);
    if (!held && held.error().kind != ErrorKind::not_supported) return held;
    vlan_offloads_.follow(guarded_, interfaces_, news.notes);
    return {};
}

Result<std::uint32_t> Wall::load_policy_into_slot(const PolicySource& source, As as,
                                                  MapImage& image) {
    CompileInput input{
        .generation = SP_TRY(next_generation()), .interfaces = {}, .counters = enforced_.counters};
    for (const Interface& interface : interfaces_) input.interfaces.push_back(interface.name);
    image = SP_TRY(compile(source.policy, input));
    if (as == As::panic) image.slot.flags |= SP_SLOT_PANIC;
    const Maps& maps = programs_.maps();
    const std::uint32_t slot = SP_TRY(free_slot(maps));
    SP_TRY(fill_slot(maps, slot, image));
    SP_TRY(fill_globs(maps, slot, source.policy.host.interfaces));
    SP_TRY(clear_cgroup_states(maps, slot));
    SP_TRY(fill_cgroup_states(maps, slot, image, cgroup_mount_));
    SP_TRY(write_ifaces(slot, &image));
    return slot;
}

void Wall::note_next(const PolicySource& source, const MapImage& image, Kept kept, WallNews& news) {
    next_ = enforced_;
    next_.generation = image.slot.generation;
    next_.first_generation = kept == Kept::stay ? enforced_.began() : next_.generation;
    next_.last_generation = std::max(next_.last_generation, next_.generation);
    next_.file = source.file;
    next_.sha256 = source.sha256;
    next_.contents = source.contents;
    next_.applied = now_rfc3339();
    next_.by = source.by;
    next_.observe = source.policy.host.mode == Mode::observe;
    next_.packet_sockets = to_string(source.policy.host.packet_sockets);
    next_.packet_socket_users = source.policy.host.packet_socket_users;
    next_.interfaces = source.policy.host.interfaces;
    next_.xdp = source.policy.host.xdp;
    next_.repeat_s = static_cast<std::uint32_t>(source.policy.events.repeat.count());
    next_.names = source.policy.events.names;
    next_.command_lines = source.policy.events.command_lines;
    next_.compiled_for.clear();
    for (const InterfaceClass& one : image.interfaces) next_.compiled_for.push_back(one.name);
    next_.rules.clear();
    for (std::size_t i = 0; i < source.policy.rules.size(); i++) {
        const Rule& rule = source.policy.rules[i];
        next_.rules.push_back({.name = rule.name, .direction = rule.direction});
        next_.counters[rule.name] = image.rules[i].counter;
    }
    const Status staged = stage_enforced(state_dir_, next_);
    // The wall does not wait for a disk; only names would be lost.
    if (staged) return;
    news.notes.push_back(staged.error().text());
    unstage_enforced(state_dir_);
}

void Wall::note_switched(WallNews& news) {
    enforced_ = next_;
    rules_of_[enforced_.generation] = enforced_.rules;
    while (rules_of_.size() > kGenerationsNamed) rules_of_.erase(rules_of_.begin());
    if (trial_) return; // the settled record is of what it falls back to
    const Status saved = settle_enforced(state_dir_);
    if (!saved) news.notes.push_back(saved.error().text());
}

// The compiler makes a second class for interfaces that are named, there or not.
Result<bool> Wall::tells_interfaces_apart() const {
    const ControlState control = SP_TRY(control_state(programs_.maps()));
    const sp_slot slot = SP_TRY(read_slot(programs_.maps(), control.slot));
    return slot.n_ifaces > 1;
}

// The wall does not wait for a disk; only names would be lost.
void Wall::save(WallNews& news) {
    Status saved = stage_enforced(state_dir_, enforced_);
    if (saved && !trial_) saved = settle_enforced(state_dir_);
    if (!saved) news.notes.push_back(saved.error().text());
}

Status Wall::change(const PolicySource& source, const Change& how, WallNews& news) {
    if (trial_ && enforced_.panic)
        return fail(ErrorKind::conflict, "a panic is on", "sallyport panic --off, first");
    if (trial_)
        return fail(ErrorKind::conflict,
                    fmt::format("generation {} is on trial", enforced_.generation),
                    "sallyport confirm to keep it, or sallyport rollback, first");
    const bool moves = source.policy.host.cgroup != enforced_.cgroup;
    if (moves) SP_TRY(check_may_move(source.policy.host.cgroup, how));
    if (source.policy.flows.max != enforced_.flow_max)
        news.notes.push_back(
            fmt::format("[flows] max stays {} until the wall is raised anew", enforced_.flow_max));
    SP_TRY(read_interfaces());
    if (!how.waits_for_nics) SP_TRY(check_nics(source.policy.host.interfaces));
    MapImage image;
    const std::uint32_t slot = SP_TRY(load_policy_into_slot(source, As::policy, image));
    if (how.may_switch) SP_TRY(how.may_switch(slot));
    if (!moves) return switch_to(source, slot, image, news, {.trial = how.trial});
    const std::string before = enforced_.cgroup;
    Status changed = move_to_cgroup(source.policy.host.cgroup, news);
    if (changed) changed = switch_to(source, slot, image, news, {.trial = how.trial});
    if (changed) return changed;
    if (const Status back = move_to_cgroup(before, news); !back)
        news.warnings.push_back(back.error().text());
    return changed;
}

Status Wall::move_word(std::uint32_t slot, const Switch& how) const {
    if (how.kept == Kept::stay) return move_to(programs_.maps(), slot);
    if (how.trial.count() == 0) return activate(programs_.maps(), slot);
    const bool ends = how.trial != std::chrono::milliseconds::max();
    const auto span = static_cast<std::uint64_t>(how.trial.count());
    return begin_trial(programs_.maps(), slot, ends ? boot_ms() + span : kTrialForEver);
}

Status Wall::switch_to(const PolicySource& source, std::uint32_t slot, const MapImage& image,
                       WallNews& news, const Switch& how) {
    // A NIC that the new policy adds is guarded under the old one first: should it
    // refuse, nothing has changed.
    const Enforced old = enforced_;
    const std::vector<GuardedNic> old_nics = guarded_;
    enforced_.interfaces = source.policy.host.interfaces;
    if (how.trial.count() != 0) enforced_.fallback_interfaces = old.interfaces;
    enforced_.panic = how.panic || (how.kept == Kept::stay && old.panic);
    Status guarded = guard_nics(source.policy.host.xdp, OnRefusal::fail, news);
    if (guarded) {
        if (source.policy.host.packet_sockets == PacketSockets::deny) deny_packet_sockets(news);
        note_next(source, image, how.kept, news);
        guarded = move_word(slot, how);
    }
    if (!guarded) {
        unstage_enforced(state_dir_);
        enforced_.interfaces = old.interfaces;
        enforced_.fallback_interfaces = old.fallback_interfaces;
        enforced_.panic = old.panic;
        for (const GuardedNic& nic : guarded_)
            if (std::none_of(old_nics.begin(), old_nics.end(),
                             [&](const GuardedNic& was) { return was.name == nic.name; }))
                hooks_.remove_nic(pins_, nic.name);
        guarded_ = old_nics;
        // The programs were told of the new ones; a NIC without hooks is not guarded.
        for (const Interface& interface : interfaces_)
            static_cast<void>(write_iface(interface, 0, nullptr));
        return guarded;
    }
    if (how.trial.count() != 0) trial_ = Trial{.good = old, .policy = policy_};
    if (how.kept == Kept::go && !trial_) kept_.clear();
    note_switched(news);
    settle_interfaces(news);
    policy_ = source.policy;
    settings_.follow(source.policy, news.notes);
    use_bans_of(source.policy, news);
    // What a trial refuses stands still, and goes on when it falls back.
    if (!trial_) cut_running(source.policy, news);
    uncompiled_ = false;
    names_changed_ = false;
    return {};
}

Status Wall::take_down() {
    hooks_ = Hooks{};
    vlan_offloads_.restore();
    settings_.restore();
    Status removed = pins_.remove();
    remove_clsact_filters();
    return removed;
}

void Wall::sweep() {
    if (recount_in_-- == 0) {
        static_cast<void>(recount_connections(programs_)); // the next one may do better
        recount_in_ = kSecondsToRecount;
    }
    if (flow_sets_ == 0) return;
    // The whole table about once a minute, when called every second.
    const std::uint32_t runs = flow_sets_ / (60 * SP_SWEEP_SETS) + 1;
    for (std::uint32_t i = 0; i < runs; i++) {
        if (sweep_at_ >= flow_sets_) sweep_at_ = 0;
        static_cast<void>(sweep_flows(programs_, sweep_at_));
        sweep_at_ += SP_SWEEP_SETS;
    }
}

std::string Wall::rule_name(std::uint32_t generation, std::uint32_t rule) const {
    const auto rules = rules_of_.find(generation);
    if (rule == 0 || rules == rules_of_.end() || rule > rules->second.size()) return {};
    return rules->second[rule - 1].name;
}

SourceWidth Wall::source_width(const std::string& rule) const {
    if (!policy_) return {};
    for (const Rule& one : policy_->rules)
        if (one.limit && one.name == rule)
            return {.prefix4 = one.limit->prefix4, .prefix6 = one.limit->prefix6};
    return {};
}

} // namespace sallyport
