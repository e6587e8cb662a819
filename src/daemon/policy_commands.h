// SPDX-License-Identifier: Apache-2.0
#pragma once
// apply, confirm, rollback and history, as they are asked for over the control socket and,
// where no daemon answers, of the pins.
#include "base/result.h"
#include "daemon/control.h"
#include "daemon/paths.h"
#include "daemon/policy_keeper.h"

#include <nlohmann/json.hpp>
#include <string>

namespace sallyport {

[[nodiscard]] bool is_policy_command(const std::string& command);
// {"cmd":"apply","file":ABSOLUTE,"trial":SECONDS,"force":BOOL,"message":TEXT},
// {"cmd":"confirm"}, {"cmd":"rollback","number":N,"force":BOOL}, {"cmd":"history"},
// {"cmd":"panic","trial":SECONDS,"off":BOOL,"message":TEXT}; all but "cmd" and "file" may be
// left out. For root, but for history's reader of the socket's group.
[[nodiscard]] Result<nlohmann::ordered_json> answer_policy_command(PolicyKeeper& keeper,
                                                                   const nlohmann::json& request,
                                                                   const Peer& peer,
                                                                   PolicyNews& news);
// confirm and rollback without a daemon, by the pins. not_found when no wall stands.
[[nodiscard]] Result<nlohmann::ordered_json> policy_command_by_pins(const Paths& paths,
                                                                    const nlohmann::json& request);
// What the answer of a change that was refused has to say, on one line.
[[nodiscard]] std::string lockout_words(const nlohmann::ordered_json& answer);

} // namespace sallyport
