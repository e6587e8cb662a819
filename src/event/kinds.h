// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kinds of events, and the words that only some kinds have.
#include <cstdint>

namespace sallyport {

// The kernel's kinds have its numbers (enum sp_event_kind); those that user
// space makes begin above what the record can hold.
enum class EventKind : std::uint16_t {
    drop = 1,
    would_drop = 2,
    opened = 3,   // "new": an admitted connection of a rule with log = "new"
    lost = 256,   // `count` events that no reader of this stream will see; `lost_by` says where
    policy = 257, // a switch of the policy, or one refused; see `state`
    hook = 258,   // a hook attached, lost, restored; see `state`
    ban = 260,    // somebody is banned, by `origin`
    unban = 261,  // no more; `detail` says why
    limit = 262,  // a source begins or ceases to be limited; see `state`
    socket = 259, // a process holds a socket that the packet hooks may not see; see `state`
};

enum class LostBy : std::uint8_t {
    ring_full,   // the kernel's ring had no room
    over_rate,   // over [events] per-second
    slow_reader, // the reader of this stream was too slow and is cut off
    log_file,    // the log file could not be written
    journal,     // systemd's journal did not take it
};

enum class EventState : std::uint8_t {
    attached,
    lost,
    restored,
    applied,
    refused,
    found,
    trial,
    confirmed,
    rolled_back,
    panic,
    begins,
    ends
};

} // namespace sallyport
