// SPDX-License-Identifier: Apache-2.0
// New connections in a closed loop: each asks a byte, gets one back, and is cut.
//
//   connect_loop serve PORT                    until it is ended; says "ready"
//   connect_loop ask ADDRESS PORT SECONDS SOURCE COUNT     4 threads; prints one JSON object
//
// Each comes from the next of COUNT addresses after SOURCE, in IPv6 each of another /48.
// `ask` counts a connection once its byte is back. Its time has the SYNs that the kernel had
// to send again in it. One that is under way at the end, or took more than 3 s, is counted
// as open or failed.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kThreads = 4;
constexpr timeval kPatience{.tv_sec = 3, .tv_usec = 0};

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

Address address_of(const std::string& text, std::uint16_t port) {
    Address address;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.bytes);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.bytes);
    if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        address.size = sizeof(*v4);
    } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        address.size = sizeof(*v6);
    } else {
        std::fprintf(stderr, "not an address: %s\n", text.c_str());
        std::exit(2);
    }
    return address;
}

void serve(int listener) {
    for (;;) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd < 0) continue;
        char byte = 0;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
        if (read(fd, &byte, 1) == 1) (void)!write(fd, &byte, 1);
        close(fd);
    }
}

int listen_at(std::uint16_t port) {
    const Address any = address_of("::", port);
    const int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, reinterpret_cast<const sockaddr*>(&any.bytes), any.size) != 0 ||
        listen(fd, 4096) != 0) {
        std::perror("listen");
        return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    std::jthread other(serve, fd);
    serve(fd);
    return 0;
}

Address next_source(const Address& first, unsigned number) {
    Address source = first;
    if (auto* v4 = reinterpret_cast<sockaddr_in*>(&source.bytes); v4->sin_family == AF_INET)
        v4->sin_addr.s_addr = htonl(ntohl(v4->sin_addr.s_addr) + number);
    else
        reinterpret_cast<sockaddr_in6*>(&source.bytes)->sin6_addr.s6_addr16[2] =
            htons(static_cast<std::uint16_t>(number));
    return source;
}

bool ask_once(const Address& address, const Address& source) {
    const int fd = socket(address.bytes.ss_family, SOCK_STREAM, 0);
    const linger cut{.l_onoff = 1, .l_linger = 0}; // else the ports run out
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    const int on = 1; // of a network that is all ours, without an address each on a device
    setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on));
    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    char byte = 'a';
    const bool served =
        bind(fd, reinterpret_cast<const sockaddr*>(&source.bytes), source.size) == 0 &&
        connect(fd, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0 &&
        write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
    close(fd);
    return served;
}

struct Told {
    std::vector<double> took_us;
    unsigned failed = 0, open = 0;
};

struct Plan {
    Address address, source;
    unsigned sources;
    Clock::time_point until;
    std::atomic<unsigned> next = 0;
};

void ask(Plan& plan, Told& told) {
    while (Clock::now() < plan.until) {
        const Address source = next_source(plan.source, plan.next++ % plan.sources);
        const Clock::time_point begun = Clock::now();
        const bool served = ask_once(plan.address, source);
        const Clock::time_point now = Clock::now();
        if (now >= plan.until)
            ++told.open;
        else if (served)
            told.took_us.push_back(std::chrono::duration<double, std::micro>(now - begun).count());
        else
            ++told.failed;
    }
}

int ask_all(Plan& plan, double seconds) {
    std::vector<Told> told(kThreads);
    plan.until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(seconds));
    {
        std::vector<std::jthread> threads;
        for (Told& one : told) threads.emplace_back([&] { ask(plan, one); });
    }
    Told all;
    for (const Told& one : told) {
        all.took_us.insert(all.took_us.end(), one.took_us.begin(), one.took_us.end());
        all.failed += one.failed;
        all.open += one.open;
    }
    std::ranges::sort(all.took_us);
    const std::size_t count = all.took_us.size();
    const auto part = [&](double share) {
        return count ? all.took_us[static_cast<std::size_t>(share * static_cast<double>(count - 1))]
                     : 0.0;
    };
    std::printf("{\"a_second\": %.1f, \"median_us\": %.1f, \"p99_us\": %.1f, \"failed\": %u, "
                "\"open\": %u}\n",
                static_cast<double>(count) / seconds, part(0.5), part(0.99), all.failed, all.open);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 1 ? argv[1] : "";
    const auto number = [&](int i) { return static_cast<unsigned>(std::stoul(argv[i])); };
    if (verb == "serve" && argc == 3) return listen_at(static_cast<std::uint16_t>(number(2)));
    if (verb != "ask" || argc != 7) return 2;
    Plan plan{.address = address_of(argv[2], static_cast<std::uint16_t>(number(3))),
              .source = address_of(argv[5], 0),
              .sources = number(6),
              .until = {}};
    return ask_all(plan, std::stod(argv[4]));
}
