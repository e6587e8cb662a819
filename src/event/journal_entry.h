// SPDX-License-Identifier: Apache-2.0
#pragma once
// An event as systemd's journal takes it: its native protocol, fields that journalctl filters by,
// and a message id for each kind, of which tools/packaging/journal has the catalog.
#include "event/event.h"

#include <string>
#include <string_view>

namespace sallyport {

// 32 lower-case hexadecimal digits; empty for a kind that is not known here.
[[nodiscard]] std::string_view message_id(EventKind kind);

// One datagram for /run/systemd/journal/socket (systemd, "Native Journal Protocol"): MESSAGE,
// MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER, and SALLYPORT_ with each field of docs/events.md in
// capitals. Values hold what the JSON line holds; MESSAGE has control characters escaped, since
// journalctl would show a message that has any as a blob.
[[nodiscard]] std::string journal_entry(const Event& event, const std::string& json_line);

} // namespace sallyport
