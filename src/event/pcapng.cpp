// SPDX-License-Identifier: Apache-2.0
// Numbers are in this machine's byte order, which the section's head tells.
#include "event/pcapng.h"

#include "base/text.h"
#include "event/names.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/types.h"

#include <cstring>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6;
constexpr std::uint16_t kComment = 1;                   // of any block
constexpr std::uint16_t kProgram = 4;                   // of a section
constexpr std::uint16_t kName = 2, kResolution = 9;     // of an interface
constexpr std::uint16_t kFlags = 2, kVerdict = 7;       // of a packet
constexpr std::uint16_t kEthernet = 1, kRawIp = 101;    // link types
constexpr std::uint8_t kVerdictTc = 1, kVerdictXdp = 2; // the registry has no others for BPF
constexpr std::uint64_t kXdpDrop = 1, kXdpPass = 2, kTcOk = 0, kTcShot = 2;
constexpr std::size_t kCommentMost = 1024;

template <typename Number> void add(std::string& out, Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof bytes);
}

void pad(std::string& out) {
    out.append((4 - out.size() % 4) % 4, '\0');
}

void add_option(std::string& out, std::uint16_t code, std::string_view value) {
    add(out, code);
    add(out, static_cast<std::uint16_t>(value.size()));
    out += value;
    pad(out);
}

std::string block(std::uint32_t type, const std::string& body) {
    const auto size = static_cast<std::uint32_t>(body.size() + 12);
    std::string out;
    add(out, type);
    add(out, size);
    out += body;
    add(out, size);
    return out;
}

std::string verdict_of(const Event& event) {
    const bool is_dropped = event.kind == EventKind::drop;
    std::string value;
    if (event.hook == SP_HOOK_XDP) {
        add(value, kVerdictXdp);
        add(value, is_dropped ? kXdpDrop : kXdpPass);
    } else {
        add(value, kVerdictTc);
        add(value, is_dropped ? kTcShot : kTcOk);
    }
    return value;
}

} // namespace

std::string packet_comment(const Event& event) {
    std::string text = to_string(event.kind);
    if (event.reason != 0) text += " " + reason_name(event.reason);
    if (event.exfil) text += "; exfil";
    if (!event.rule.empty()) text += "; rule " + event.rule;
    if (event.hook) text += "; " + hook_name(*event.hook);
    if (event.pid) text += fmt::format("; pid {} {}", *event.pid, event.comm);
    if (!event.exe.empty()) text += " (" + event.exe + ")";
    if (!event.user.empty())
        text += "; user " + event.user;
    else if (event.uid)
        text += fmt::format("; uid {}", *event.uid);
    if (!event.unit.empty()) text += "; unit " + event.unit;
    if (!event.container_name.empty())
        text += "; container " + event.container_name;
    else if (!event.container.empty())
        text += "; container " + event.container;
    if (event.generation != 0) text += fmt::format("; generation {}", event.generation);
    return one_line(text, kCommentMost);
}

std::string PcapngWriter::begin(std::string_view program) {
    interfaces_.clear();
    std::string body;
    add(body, std::uint32_t{0x1a2b3c4d});
    add(body, std::uint16_t{1});
    add(body, std::uint16_t{0});
    add(body, ~std::uint64_t{0}); // the section's length is not known
    add_option(body, kProgram, program);
    add_option(body, 0, "");
    return block(kSection, body);
}

std::uint32_t PcapngWriter::number_of(const Event& event, CaptureLayer layer, std::string& out) {
    std::string name = event.iface;
    if (name.empty()) name = event.hook ? hook_name(*event.hook) : "unknown";
    const auto [at, is_new] =
        interfaces_.try_emplace({name, layer}, static_cast<std::uint32_t>(interfaces_.size()));
    if (!is_new) return at->second;
    std::string body;
    add(body, layer == CaptureLayer::ip ? kRawIp : kEthernet);
    add(body, std::uint16_t{0});
    add(body, std::uint32_t{0}); // no limit of its own
    add_option(body, kName, one_line(name));
    add_option(body, kResolution, "\x06"); // microseconds
    add_option(body, 0, "");
    out += block(kInterface, body);
    return at->second;
}

std::string PcapngWriter::packet(const Event& event, const Capture& capture) {
    std::string out;
    const std::uint32_t interface = number_of(event, capture.layer, out);
    const auto us = static_cast<std::uint64_t>(event.at.time_since_epoch().count());
    std::string body;
    add(body, interface);
    add(body, static_cast<std::uint32_t>(us >> 32));
    add(body, static_cast<std::uint32_t>(us));
    add(body, static_cast<std::uint32_t>(capture.bytes.size()));
    add(body, capture.wire_size);
    body.append(capture.bytes.begin(), capture.bytes.end());
    pad(body);
    add_option(body, kComment, packet_comment(event));
    std::string flags; // what is routed is caught as it came in
    add(flags, std::uint32_t{event.direction == SP_EGRESS ? 2u : 1u});
    add_option(body, kFlags, flags);
    add_option(body, kVerdict, verdict_of(event));
    add_option(body, 0, "");
    return out + block(kPacket, body);
}

} // namespace sallyport
