// SPDX-License-Identifier: Apache-2.0
#pragma once
// What `jail test` has found, for people and for programs.
#include "cli/jail_run.h"
#include "cli/jail_target.h"

#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

struct JailShown {
    bool matched = false; // every line that matched
    bool missed = false;  // and those that did not
};

[[nodiscard]] std::string jail_report_text(const JailTarget& target, const jail::Jail& jail,
                                           const JailRun& run, JailShown shown);
[[nodiscard]] nlohmann::ordered_json jail_report_json(const JailTarget& target,
                                                      const jail::Jail& jail, const JailRun& run);

} // namespace sallyport
