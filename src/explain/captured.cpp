// SPDX-License-Identifier: Apache-2.0
#include "explain/captured.h"

#include "base/fd.h"
#include "base/text.h"
#include "explain/capture_file.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace sallyport::explain {
namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kFileHead = 24, kRecordHead = 16;

std::unexpected<Error> wrong(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::invalid_input, what, hint);
}

std::uint16_t be16(View bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

bool is_vlan(std::uint16_t type) {
    return type == 0x8100 || type == 0x88a8;
}

bool looks_like_frame(View bytes) {
    if (bytes.size() < kEthernet) return false;
    const std::uint16_t type = be16(bytes, 12);
    return type == 0x0800 || type == 0x86dd || type == 0x0806 || is_vlan(type);
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<std::endian> order_of(View file) {
    constexpr const char* kHint = "write it with: tcpdump -w FILE, or sallyport tail --pcap FILE";
    if (file.size() < kFileHead)
        return wrong("no capture file: it is shorter than its head", kHint);
    for (const std::endian order : {std::endian::little, std::endian::big}) {
        const std::uint32_t magic = Numbers(file, order).at(0);
        if (magic == 0xa1b2c3d4 || magic == 0xa1b23c4d) return order;
    }
    return wrong("no capture file: it does not begin as one", kHint);
}

} // namespace

std::optional<Link> link_of(std::uint32_t type) {
    switch (type) {
    case 1: // Ethernet
        return Link{};
    case 12: // raw IP, as some systems number it
    case 14:
    case 101:
    case 228:
    case 229:
        return Link{.layer = Layer::ip, .skip = 0};
    case 113: // Linux cooked
        return Link{.layer = Layer::ip, .skip = 16};
    case 276: // its second version
        return Link{.layer = Layer::ip, .skip = 20};
    default:
        return std::nullopt;
    }
}

Result<Captured> parse_hex(std::string_view text) {
    Captured packet;
    int high = -1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '0' && i + 1 < text.size() && (text[i + 1] == 'x' || text[i + 1] == 'X')) {
            ++i;
            continue;
        }
        if (c == ' ' || c == ':' || c == ',' || c == '\n' || c == '\t' || c == '\r') continue;
        const int digit = digit_of(c);
        if (digit < 0)
            return wrong(fmt::format("'{}' is no hex digit", escaped(std::string_view(&c, 1))),
                         "as in: --hex '45 00 00 28 ...'");
        if (high < 0) {
            high = digit;
            continue;
        }
        if (packet.bytes.size() == kCapturedMax)
            return wrong("more than 65535 bytes are no packet",
                         "one packet, from its first header");
        packet.bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
        high = -1;
    }
    if (high >= 0) return wrong("an odd number of hex digits", "two a byte");
    if (packet.bytes.empty()) return wrong("no bytes", "as in: --hex '45 00 00 28 ...'");
    const unsigned version = packet.bytes[0] >> 4;
    if (!looks_like_frame(packet.bytes) && (version == 4 || version == 6)) packet.layer = Layer::ip;
    packet.wire_size = static_cast<std::uint32_t>(packet.bytes.size());
    return packet;
}

Result<std::vector<Captured>> parse_pcap(View file) {
    if (is_pcapng(file)) return parse_pcapng(file);
    const Numbers numbers(file, SP_TRY(order_of(file)));
    // Above 16 bits stands what a frame check sequence has.
    const std::uint32_t type = numbers.at(20) & 0xffff;
    const std::optional<Link> link = link_of(type);
    if (!link)
        return wrong(fmt::format("packets of link type {}, which are not read here", type),
                     "Ethernet, bare IP, or Linux cooked");
    std::vector<Captured> packets;
    for (std::size_t at = kFileHead; at < file.size();) {
        const std::string name = fmt::format("packet {}", packets.size() + 1);
        if (file.size() - at < kRecordHead)
            return wrong(name + ": the file ends in its head", "it was not written to its end");
        const std::size_t held = numbers.at(at + 8);
        const std::uint32_t wire = numbers.at(at + 12);
        at += kRecordHead;
        if (held > kCapturedMax)
            return wrong(fmt::format("{}: {} bytes are no packet", name, held),
                         "the file is damaged");
        if (held > file.size() - at)
            return wrong(name + ": the file ends in it", "it was not written to its end");
        if (held >= link->skip) {
            const View bytes = file.subspan(at + link->skip, held - link->skip);
            packets.push_back(
                {.layer = link->layer, .bytes = {bytes.begin(), bytes.end()}, .wire_size = wire});
        }
        at += held;
    }
    if (packets.empty()) return wrong("the capture holds no packet", "capture one");
    return packets;
}

Result<std::vector<Captured>> read_pcap(const std::string& path) {
    // A FIFO would have us wait for ever.
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info{};
    if (!fd || fstat(fd.get(), &info) != 0)
        return wrong(fmt::format("{}: {}", escaped(path), std::generic_category().message(errno)),
                     "name a capture file that can be read");
    if (!S_ISREG(info.st_mode))
        return wrong(escaped(path) + " is no regular file", "name a capture file");
    if (static_cast<std::uint64_t>(info.st_size) > kCaptureFileMax)
        return wrong(fmt::format("{} has {} bytes; {} are the most", escaped(path), info.st_size,
                                 kCaptureFileMax),
                     "keep the packet in question: editcap -r IN OUT NUMBER");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = read(fd.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "reading " + escaped(path));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return parse_pcap(bytes).context(escaped(path));
}

View ip_of(const Captured& packet) {
    View bytes = packet.bytes;
    if (packet.layer == Layer::ip) return bytes;
    if (bytes.size() < kEthernet) return {};
    std::size_t at = 12;
    for (int tags = 0; tags < 2 && bytes.size() >= at + 6 && is_vlan(be16(bytes, at)); ++tags)
        at += 4;
    const std::uint16_t type = be16(bytes, at);
    if (type != 0x0800 && type != 0x86dd) return {};
    return bytes.subspan(at + 2);
}

} // namespace sallyport::explain
