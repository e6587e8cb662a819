// SPDX-License-Identifier: Apache-2.0
#include "event/formats.h"

#include "event/names.h"
#include "event/shapes.h"
#include "sallyport/abi/types.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

std::string end_of(const Address& address, const std::optional<std::uint16_t>& port) {
    const std::string text = to_string(address);
    if (!port) return text;
    return address.is_v4() ? fmt::format("{}:{}", text, *port)
                           : fmt::format("[{}]:{}", text, *port);
}

} // namespace

int severity_of(const Event& event) {
    switch (event.kind) {
    case EventKind::drop:
    case EventKind::would_drop:
        if (event.exfil) return 4;
        return event.direction == SP_EGRESS ? 3 : 2;
    case EventKind::lost:
    case EventKind::socket:
        return 3;
    case EventKind::hook:
        return event.state == EventState::lost ? 4 : 1;
    case EventKind::policy:
        return event.state == EventState::refused || event.state == EventState::rolled_back ||
                       event.state == EventState::panic
                   ? 3
                   : 1;
    case EventKind::ban:
    case EventKind::limit:
        return 2;
    case EventKind::opened:
    case EventKind::unban:
        return 1;
    }
    return 1; // of a newer program
}

std::string summary_of(const Event& event) {
    std::string text = to_string(event.kind);
    const auto add = [&](const std::string& word) {
        if (!word.empty()) text += " " + word;
    };
    if (event.state) add(to_string(*event.state));
    if (event.lost_by)
        add(fmt::format("{} {}", event.count, to_string(*event.lost_by)));
    else if (event.reason != 0)
        add(reason_name(event.reason));
    if (!event.rule.empty()) add("by " + event.rule);
    if (event.proto) add(proto_name(*event.proto));
    if (event.src) add(end_of(*event.src, event.src_port));
    if (event.dst) add("> " + end_of(*event.dst, event.dst_port));
    if (event.network) add(to_string(*event.network));
    add(event.origin);
    if (!event.detail.empty()) text += ": " + event.detail;
    return text;
}

std::string to_line(const Event& event, EventFormat format) {
    nlohmann::ordered_json object;
    switch (format) {
    case EventFormat::eve:
        object = to_eve(event);
        break;
    case EventFormat::ecs:
        object = to_ecs(event);
        break;
    case EventFormat::ocsf:
        object = to_ocsf(event);
        break;
    }
    return object.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace sallyport
