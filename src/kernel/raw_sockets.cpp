// SPDX-License-Identifier: Apache-2.0
#include "kernel/raw_sockets.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <netinet/in.h>
#include <optional>
#include <sstream>

namespace sallyport {
namespace {

template <typename Number> std::optional<Number> number_of(std::string_view text, int base) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Words of 32 bits in hex, each as this machine has it in memory.
std::optional<Address> address_of(std::string_view hex) {
    if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
    Address address = hex.size() == 8 ? Address::v4(0) : Address{};
    std::uint8_t* to = address.bytes.data() + (hex.size() == 8 ? 12 : 0);
    for (; !hex.empty(); hex.remove_prefix(8), to += 4) {
        const auto word = number_of<std::uint32_t>(hex.substr(0, 8), 16);
        if (!word) return std::nullopt;
        std::memcpy(to, &*word, sizeof *word);
    }
    return address;
}

// "sl local remote st queues timer retransmits uid timeout inode ..."
std::optional<SocketInfo> parse_line(const std::string& line) {
    std::istringstream in(line);
    std::string sl, local, remote, state, queues, timer, again, uid, timeout, inode;
    in >> sl >> local >> remote >> state >> queues >> timer >> again >> uid >> timeout >> inode;
    const std::size_t colon = local.find(':');
    if (!in || colon == std::string::npos || state != "07") return std::nullopt;
    const auto address = address_of(std::string_view(local).substr(0, colon));
    const auto protocol = number_of<std::uint16_t>(std::string_view(local).substr(colon + 1), 16);
    const auto owner = number_of<std::uint32_t>(uid, 10);
    const auto number = number_of<std::uint32_t>(inode, 10);
    if (!address || !protocol || !owner || !number) return std::nullopt;
    SocketInfo socket;
    socket.proto = IPPROTO_RAW;
    socket.local = *address;
    socket.local_port = *protocol;
    socket.is_ipv6_only = colon == 32; // a raw socket is of one family
    socket.uid = *owner;
    socket.inode = *number;
    return socket;
}

} // namespace

std::vector<SocketInfo> parse_raw_table(std::string_view text) {
    std::vector<SocketInfo> found;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);)
        if (auto socket = parse_line(line)) found.push_back(*socket);
    return found;
}

Result<std::vector<SocketInfo>> list_raw_by_proc() {
    std::vector<SocketInfo> found;
    for (const char* table : {"/proc/thread-self/net/raw", "/proc/thread-self/net/raw6"}) {
        std::ifstream file(table); // a kernel without IPv6 has no second one
        std::ostringstream text;
        text << file.rdbuf();
        const std::vector<SocketInfo> its = parse_raw_table(text.str());
        found.insert(found.end(), its.begin(), its.end());
    }
    return found;
}

} // namespace sallyport
