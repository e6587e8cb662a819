// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the wall is given, and what it has to tell.
#include "config/parse.h"
#include "daemon/ban_news.h"
#include "event/event.h"
#include "policy/policy.h"

#include <memory>
#include <string>
#include <vector>

namespace sallyport {

// A policy with where it came from.
struct PolicySource {
    Policy policy;
    std::string file;
    std::string sha256;
    std::string by;
    std::string contents;                   // contents_hash(); "": without a text
    std::shared_ptr<const PolicyText> text; // null: not to be had again
};

// What a call has to tell an operator beside success.
struct HookNews {
    EventState state = EventState::attached; // attached, lost or restored
    std::string hook;
    std::string iface; // "": none
    std::string why;   // "": nothing to add
};

struct WallNews {
    std::vector<HookNews> hooks;
    std::vector<std::string> warnings; // what an operator asked for and does not get
    std::vector<std::string> notes;    // "eth0: generic XDP: native refused: ..."
    std::vector<BanNews> bans;         // made, lifted, over
    std::vector<std::string> cut;      // connections that were ended, one line each
};

} // namespace sallyport
