// SPDX-License-Identifier: Apache-2.0
// Sends a frame at a rate, each time from another address, and spins in between.
//
//   syn_source INTERFACE FRAME LOW BALANCE,BALANCE A_SECOND SECONDS
//
// FRAME is hex. The 16 bits at byte LOW count up; the words at BALANCE, zero in the frame,
// take up what that adds to a checksum. What could not be sent in its time is not made up
// for: a burst would only fill the ring. A_SECOND 0 sends nothing and spins all the same, so
// that whoever shares the CPU has as much of it. Prints {"sent": N, "seconds": S}.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kBatch = 32; // sent at once
constexpr double kLate = 0.001; // seconds that are made up for

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
    return bytes;
}

void put(std::vector<std::uint8_t>& frame, std::size_t at, std::uint16_t value) {
    frame.at(at) = static_cast<std::uint8_t>(value >> 8);
    frame.at(at + 1) = static_cast<std::uint8_t>(value);
}

int packet_socket(const char* interface) {
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
        std::perror(interface);
        std::exit(1);
    }
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const int fd = packet_socket(argv[1]);
    const std::size_t low = std::stoul(argv[3]);
    char* rest = nullptr;
    const std::array<std::size_t, 2> balance = {std::strtoul(argv[4], &rest, 10),
                                                std::strtoul(rest + 1, nullptr, 10)};
    const double a_second = std::stod(argv[5]), seconds = std::stod(argv[6]);
    std::vector<std::vector<std::uint8_t>> frames(kBatch, bytes_of(argv[2]));
    std::array<iovec, kBatch> parts{};
    std::array<mmsghdr, kBatch> messages{};
    for (unsigned i = 0; i < kBatch; ++i) {
        parts[i] = {frames[i].data(), frames[i].size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::uint64_t sent = 0;
    std::uint16_t number = 0;
    const Clock::time_point begun = Clock::now();
    double now = 0, due = 0;
    while ((now = std::chrono::duration<double>(Clock::now() - begun).count()) < seconds) {
        if (a_second <= 0 || now < due) continue;
        due = std::max(due, now - kLate) + kBatch / a_second;
        for (std::vector<std::uint8_t>& frame : frames) {
            put(frame, low, number);
            for (std::size_t at : balance) put(frame, at, static_cast<std::uint16_t>(~number));
            ++number;
        }
        const int done = sendmmsg(fd, messages.data(), kBatch, 0);
        if (done > 0) sent += static_cast<std::uint64_t>(done);
    }
    std::printf("{\"sent\": %llu, \"seconds\": %.3f}\n", static_cast<unsigned long long>(sent),
                now);
    return 0;
}
