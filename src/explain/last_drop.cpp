// SPDX-License-Identifier: Apache-2.0
#include "explain/last_drop.h"

#include "base/fd.h"
#include "base/text.h"
#include "event/json.h"
#include "sallyport/abi/event.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <net/if.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport::explain {
namespace {

constexpr off_t kTail = 4 << 20; // so much of a file is looked at, from its end

bool is_drop(const Event& event) {
    return (event.kind == EventKind::drop || event.kind == EventKind::would_drop) &&
           event.direction.has_value();
}

Result<std::string> tail_of(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info{};
    if (!fd || fstat(fd.get(), &info) != 0) return fail_errno(errno, "reading " + escaped(path));
    if (!S_ISREG(info.st_mode))
        return fail(ErrorKind::invalid_input, escaped(path) + " is no regular file");
    const off_t from = info.st_size > kTail ? info.st_size - kTail : 0;
    std::string text(static_cast<std::size_t>(info.st_size - from), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t got = pread(fd.get(), text.data() + done, text.size() - done,
                                  from + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "reading " + escaped(path));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

// From its last line on; one that is cut or damaged is passed over.
std::optional<Event> last_in(std::string_view text) {
    while (!text.empty()) {
        if (text.ends_with('\n')) text.remove_suffix(1);
        const std::size_t start = text.rfind('\n');
        const std::string_view line = start == text.npos ? text : text.substr(start + 1);
        if (Result<Event> event = event_from_json(line); event && is_drop(*event)) return *event;
        if (start == text.npos) break;
        text = text.substr(0, start + 1);
    }
    return std::nullopt;
}

Way way_of(std::uint8_t direction) {
    if (direction == SP_EGRESS) return Way::out;
    return direction == SP_FORWARD ? Way::forward : Way::in;
}

} // namespace

Result<Event> last_drop(const std::string& log_file) {
    const Result<std::string> now = tail_of(log_file);
    if (!now && now.error().kind != ErrorKind::not_found)
        return std::unexpected<Error>(now.error());
    if (now)
        if (std::optional<Event> event = last_in(*now)) return *std::move(event);
    if (const Result<std::string> before = tail_of(log_file + ".1"))
        if (std::optional<Event> event = last_in(*before)) return *std::move(event);
    return fail(ErrorKind::not_found, "no drop in " + escaped(log_file),
                "the daemon writes there: sallyport run; its place is --log-dir");
}

std::optional<AskedOf> question_of(const Event& event, const std::string& cgroup_mount) {
    if (!event.src || !event.dst || !event.proto || !event.direction) return std::nullopt;
    AskedPacket packet{.proto = *event.proto, .src = *event.src, .dst = *event.dst};
    if (has_ports(packet.proto) && !event.dst_port) return std::nullopt; // a fragment
    packet.src_port = event.src_port.value_or(kSomePort);
    packet.dst_port = event.dst_port.value_or(0);
    // What is refused as it connects has no packet yet.
    packet.tcp_flags = packet.proto == 6 ? event.tcp_flags.value_or(kSyn) : std::uint8_t{0};
    packet.icmp_type = event.icmp_type.value_or(0);
    packet.icmp_code = event.icmp_code.value_or(0);
    AskedOf asked{.way = way_of(*event.direction)};
    if (!event.iface.empty() && if_nametoindex(event.iface.c_str()) != 0) asked.on = event.iface;
    asked.packet = {.layer = Layer::ip, .bytes = to_bytes(packet)};
    asked.fields = packet;
    if (asked.way != Way::out) return asked;
    std::error_code error;
    const bool there =
        !event.cgroup.empty() && std::filesystem::is_directory(cgroup_mount + event.cgroup, error);
    if (there)
        asked.sender = {.unit = event.unit, .cgroup = event.cgroup, .user = event.uid};
    else
        asked.sender.user = event.uid;
    return asked;
}

} // namespace sallyport::explain
