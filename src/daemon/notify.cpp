// SPDX-License-Identifier: Apache-2.0
#include "daemon/notify.h"

#include "base/fd.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sallyport {
namespace {

std::string one_line(std::string_view text) {
    std::string line(text);
    std::ranges::replace(line, '\n', ' ');
    return line;
}

std::uint64_t monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// For this process alone, when the manager says for whom.
std::chrono::microseconds watchdog_from_environment() {
    const char* timeout = std::getenv("WATCHDOG_USEC");
    const char* whose = std::getenv("WATCHDOG_PID");
    if (timeout == nullptr) return {};
    if (whose != nullptr && std::to_string(::getpid()) != whose) return {};
    std::uint64_t usec = 0;
    const char* end = timeout + std::strlen(timeout);
    const auto [stopped, error] = std::from_chars(timeout, end, usec);
    constexpr std::uint64_t kMost = 1'000'000ull * 3600 * 24;
    if (error != std::errc() || stopped != end || usec > kMost) return {};
    return std::chrono::microseconds(usec);
}

} // namespace

Notifier Notifier::from_environment() {
    const char* socket = std::getenv("NOTIFY_SOCKET");
    Notifier notifier(socket == nullptr ? "" : socket);
    notifier.set_watchdog(watchdog_from_environment());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    return notifier;
}

void Notifier::ready(std::string_view text) const {
    send(fmt::format("READY=1\nSTATUS={}\n", one_line(text)));
}

void Notifier::reloading() const {
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading the policy\n",
                     monotonic_usec()));
}

void Notifier::stopping() const {
    send("STOPPING=1\nSTATUS=stopping\n");
}

void Notifier::alive(std::chrono::steady_clock::time_point now) {
    if (watchdog_.count() == 0 || now - alive_at_ < watchdog_ / 2) return;
    alive_at_ = now;
    send("WATCHDOG=1\n");
}

void Notifier::status(std::string_view text) const {
    send(fmt::format("STATUS={}\n", one_line(text)));
}

void Notifier::send(const std::string& message) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const bool is_usable = socket_.size() > 1 && socket_.size() < sizeof address.sun_path &&
                           (socket_[0] == '/' || socket_[0] == '@');
    if (!is_usable) return;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0'; // the abstract namespace
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    // A manager that does not listen does not keep the wall from standing.
    static_cast<void>(::sendto(socket.get(), message.data(), message.size(),
                               MSG_NOSIGNAL | MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&address), size));
}

} // namespace sallyport
