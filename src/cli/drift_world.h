// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `drift` reads: the wall that stands, by its pins alone, and the record beside it.
#include "compile/map_image.h"
#include "daemon/enforced.h"
#include "daemon/paths.h"
#include "daemon/wall_news.h"
#include "drift/finding.h"
#include "kernel/interfaces.h"
#include "kernel/standing.h"
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <optional>
#include <string>
#include <vector>

namespace sallyport {

struct StandingWall {
    std::string layout; // the directory of its pins
    StandingMaps maps;
    sp_settings settings{};
    ControlState control;
    sp_slot slot{};    // in force
    Enforced enforced; // of it
    std::vector<Interface> interfaces;
    bool has_daemon = false;

    [[nodiscard]] bool is_named(const std::string& interface) const; // by a glob
    // Named, and none of its masters is, whose hooks cover it.
    [[nodiscard]] bool is_to_guard(const Interface& interface) const;
    // What brings back what the daemon looks after.
    [[nodiscard]] std::string mend() const;
};

// An error that says what to do, when there is nothing to compare, or not all that it takes.
[[nodiscard]] Result<StandingWall> open_standing_wall(const Paths& paths);

// A policy that rules, as it was kept; why there is none otherwise.
[[nodiscard]] Result<PolicySource> kept_policy_of(const Enforced& enforced, const Paths& paths);
// Its tables as they were loaded.
[[nodiscard]] Result<MapImage> compiled_again(const PolicySource& source, const Enforced& enforced,
                                              std::uint32_t generation);

// Each adds what it finds and how much it looked at. An error: it could not look.
[[nodiscard]] Status compare_policies(const StandingWall& wall, const Paths& paths,
                                      drift::Report& report);
[[nodiscard]] Status compare_slot(const StandingWall& wall, std::uint32_t slot,
                                  const MapImage& image, const PolicySource& source,
                                  drift::Report& report);
[[nodiscard]] Status compare_machine(const StandingWall& wall, const MapImage& image,
                                     drift::Report& report);
[[nodiscard]] Status compare_bans(const StandingWall& wall, const Paths& paths,
                                  drift::Report& report);
void compare_hooks(const StandingWall& wall, drift::Report& report);
void find_foreign(const StandingWall& wall, drift::Report& report);
void compare_pins(const StandingWall& wall, const Paths& paths, drift::Report& report);

// The whole comparison; a policy that changes meanwhile is begun anew.
[[nodiscard]] Result<drift::Report> find_drift(const Paths& paths);

} // namespace sallyport
