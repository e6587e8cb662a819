// SPDX-License-Identifier: Apache-2.0
// A policy on trial: the kernel ends it by itself; here is what follows from its end.
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/trial.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport {

// A flow bears the generation that let it in: a number that comes twice would let in by the
// new policy what the old one of that number did, which a trial that was ended may have been.
Result<std::uint32_t> Wall::next_generation() const {
    std::uint32_t last = std::max(enforced_.generation, enforced_.last_generation);
    for (std::uint32_t slot = 1; slot < SP_SLOTS; slot++) {
        const sp_slot header = SP_TRY(read_slot(programs_.maps(), slot));
        if (!is_aside(header)) last = std::max(last, header.generation);
    }
    return last + 1;
}

// Which NICs are guarded now, told to everything that asks.
void Wall::settle_interfaces(WallNews& news) {
    release_nics(news);
    for (const Interface& interface : interfaces_)
        static_cast<void>(write_iface(interface, 0, nullptr)); // some are not guarded any more
    vlan_offloads_.follow(guarded_, interfaces_, news.notes);
    judge_routed(news);
}

bool Wall::trial_is_over() const {
    if (!trial_) return false;
    const Result<ControlState> state = control_state(programs_.maps());
    return state && state->phase != TrialPhase::runs;
}

Status Wall::panic(const PolicySource& source, std::chrono::milliseconds time, WallNews& news) {
    if (trial_ && enforced_.panic)
        return fail(ErrorKind::conflict, "a panic is on", "sallyport panic --off, first");
    if (trial_) SP_TRY(end_trial(news));
    SP_TRY(read_interfaces());
    MapImage image;
    const std::uint32_t slot = SP_TRY(load_policy_into_slot(source, As::panic, image));
    const auto span = time.count() == 0 ? std::chrono::milliseconds::max() : time;
    return switch_to(source, slot, image, news, {.trial = span, .panic = true});
}

Status Wall::confirm(WallNews& news) {
    if (trial_ && enforced_.panic)
        return fail(ErrorKind::conflict, "a panic is on, which nobody can keep",
                    "sallyport panic --off");
    SP_TRY(confirm_trial(programs_.maps()));
    trial_.reset();
    enforced_.fallback_interfaces.clear();
    kept_.clear();
    save(news);
    settle_interfaces(news);
    if (policy_) cut_running(*policy_, news);
    return {};
}

Status Wall::end_trial(WallNews& news) {
    if (!trial_) return fail(ErrorKind::not_found, "no policy is on trial");
    // Not found: it was ended by the pins. What follows from it is to be done all the same.
    const Status ended = sallyport::end_trial(programs_.maps());
    if (!ended && ended.error().kind != ErrorKind::not_found) return ended;
    Enforced good = std::move(trial_->good);
    // Numbers that the trial's rules and NICs were given stay theirs: what was counted was.
    good.counters.insert(enforced_.counters.begin(), enforced_.counters.end());
    good.nic_counters.insert(enforced_.nic_counters.begin(), enforced_.nic_counters.end());
    good.last_generation = std::max(enforced_.generation, enforced_.last_generation);
    enforced_ = std::move(good);
    policy_ = std::move(trial_->policy);
    trial_.reset();
    rules_of_[enforced_.generation] = enforced_.rules;
    save(news);
    settle_interfaces(news);
    names_changed_ = true; // what came meanwhile, it was not compiled for
    if (!policy_) return {};
    settings_.follow(*policy_, news.notes);
    use_bans_of(*policy_, news);
    return {};
}

// When adopting: a trial that runs goes on, one that is over is written down as such.
Status Wall::adopt_trial(WallNews& news) {
    const ControlState state = SP_TRY(control_state(programs_.maps()));
    if (state.phase == TrialPhase::none) {
        enforced_.fallback_interfaces.clear(); // of who was killed as he confirmed it
        return {};
    }
    Result<std::optional<Enforced>> settled = load_settled(state_dir_);
    if (state.phase == TrialPhase::runs) {
        trial_.emplace();
        const sp_slot good = SP_TRY(read_slot(programs_.maps(), state.other));
        const bool is_its = settled && *settled && (*settled)->generation == good.generation;
        // Without it the trial's end would guard nothing: a disk was full.
        trial_->good = is_its ? **settled
                              : without_record(enforced_, good.generation,
                                               (good.flags & SP_SLOT_OBSERVE) != 0);
        news.notes.push_back(fmt::format("generation {} is on trial", enforced_.generation));
        return {};
    }
    const sp_slot tried = SP_TRY(read_slot(programs_.maps(), state.other));
    SP_TRY(sallyport::end_trial(programs_.maps()));
    enforced_.last_generation = std::max(enforced_.last_generation, tried.generation);
    news.warnings.push_back(
        fmt::format("generation {} was not confirmed in time: generation {} is in force",
                    tried.generation, enforced_.generation));
    return {};
}

} // namespace sallyport
