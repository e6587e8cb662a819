// SPDX-License-Identifier: Apache-2.0
#pragma once
// The service manager's notification protocol (sd_notify(3)), by hand: one
// datagram of VARIABLE=value lines to $NOTIFY_SOCKET. Without that variable
// nothing is sent; a failure to send is no failure of ours.
#include <chrono>
#include <string>
#include <string_view>

namespace sallyport {

class Notifier {
  public:
    // `socket` as in NOTIFY_SOCKET: "/path" or "@abstract"; empty: say nothing.
    explicit Notifier(std::string socket) : socket_(std::move(socket)) {}
    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them, so that children
    // do not inherit them.
    [[nodiscard]] static Notifier from_environment();

    void ready(std::string_view status) const; // also after a reload
    void reloading() const;                    // with MONOTONIC_USEC, as Type=notify-reload asks
    void stopping() const;
    void status(std::string_view text) const; // one line; newlines become spaces
    // From the loop: WATCHDOG=1 when half of the time that the manager waits has gone by since
    // the last. Nothing when it asked for none.
    void alive(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());
    // After WATCHDOG_USEC and WATCHDOG_PID; zero: no watchdog.
    void set_watchdog(std::chrono::microseconds timeout) { watchdog_ = timeout; }
    [[nodiscard]] std::chrono::microseconds watchdog() const { return watchdog_; }
    [[nodiscard]] bool is_asked() const { return !socket_.empty(); }

  private:
    void send(const std::string& message) const;
    std::string socket_;
    std::chrono::microseconds watchdog_{0};
    std::chrono::steady_clock::time_point alive_at_{};
};

} // namespace sallyport
