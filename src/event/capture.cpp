// SPDX-License-Identifier: Apache-2.0
#include "event/capture.h"

#include "event/json.h"
#include "sallyport/abi/capture.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

using nlohmann::json;

std::unexpected<Error> wrong(std::string what) {
    return fail(ErrorKind::invalid_input, std::move(what));
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

Result<std::vector<std::uint8_t>> bytes_of(const std::string& hex) {
    if (hex.size() % 2 != 0 || hex.size() > std::size_t{2} * SP_CAPTURE_MAX)
        return wrong("a packet's data of another length than is sent");
    std::vector<std::uint8_t> bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit_of(hex[i]);
        const int low = digit_of(hex[i + 1]);
        if (high < 0 || low < 0) return wrong("a packet's data that is not hex");
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

} // namespace

Result<Capture> decode_capture(std::span<const std::byte> record) {
    sp_capture_head head{};
    if (record.size() < sizeof head)
        return wrong(fmt::format("a capture of {} bytes", record.size()));
    std::memcpy(&head, record.data(), sizeof head);
    const auto rest = record.subspan(sizeof head);
    if (head.version != SP_LAYOUT || head.layer > SP_CAPTURE_IP || head.kept > rest.size())
        return wrong("a capture of another layout");
    Capture capture{.layer = head.layer == SP_CAPTURE_IP ? CaptureLayer::ip : CaptureLayer::frame,
                    .wire_size = std::max<std::uint32_t>(head.len, head.kept),
                    .bytes = std::vector<std::uint8_t>(head.kept),
                    .stamp = {.at_ns = head.at_ns, .cpu = head.cpu}};
    if (head.kept != 0) std::memcpy(capture.bytes.data(), rest.data(), head.kept);
    return capture;
}

std::string packet_line(const Event& event, const Capture& capture) {
    std::string line = to_json_line(event);
    line.pop_back(); // the object's brace
    fmt::format_to(std::back_inserter(line), R"(,"packet":{{"layer":"{}","length":{},"data":")",
                   capture.layer == CaptureLayer::ip ? "ip" : "frame", capture.wire_size);
    for (const std::uint8_t byte : capture.bytes)
        fmt::format_to(std::back_inserter(line), "{:02x}", byte);
    return line + "\"}}";
}

Result<Capture> capture_from_json(std::string_view line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object() || !object.contains("packet")) return wrong("no packet");
    const json& packet = object["packet"];
    const auto is = [&](const char* key, bool (json::*what)() const noexcept) {
        return packet.is_object() && packet.contains(key) && (packet[key].*what)();
    };
    if (!is("layer", &json::is_string) || !is("length", &json::is_number_unsigned) ||
        !is("data", &json::is_string))
        return wrong("a packet without layer, length or data");
    const auto layer = packet["layer"].get<std::string>();
    if (layer != "frame" && layer != "ip") return wrong("a packet of another layer");
    const auto length = packet["length"].get<std::uint64_t>();
    if (length > std::numeric_limits<std::uint32_t>::max()) return wrong("a packet of no length");
    std::vector<std::uint8_t> bytes = SP_TRY(bytes_of(packet["data"].get<std::string>()));
    if (bytes.size() > length) return wrong("a packet shorter than its data");
    return Capture{.layer = layer == "ip" ? CaptureLayer::ip : CaptureLayer::frame,
                   .wire_size = static_cast<std::uint32_t>(length),
                   .bytes = std::move(bytes),
                   .stamp = {}};
}

} // namespace sallyport
