// SPDX-License-Identifier: Apache-2.0
#pragma once
// The latest drop that the events' log file tells of, as a question.
#include "base/result.h"
#include "event/event.h"
#include "explain/wall_asked.h"

#include <string>

namespace sallyport::explain {

// The last `drop` or `would-drop` about a packet: of the file, else of the one that was rotated
// before it. not_found: there is none; permission and the like as the file says.
[[nodiscard]] Result<Event> last_drop(const std::string& log_file);

// What the event says of the packet, its sender too where his cgroup is still there; its
// payload, and what was wrong with its headers, is gone. nullopt: too little to ask.
[[nodiscard]] std::optional<AskedOf> question_of(const Event& event,
                                                 const std::string& cgroup_mount);

} // namespace sallyport::explain
