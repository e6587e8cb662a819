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
    // Reads NOTIFY_SOCKET and removes it, so that children do not inherit it.
    [[nodiscard]] static Notifier from_environment();

    void ready(std::string_view status) const; // also after a reload
    void reloading() const;                    // with MONOTONIC_USEC, as Type=notify-reload asks
    void stopping() const;
    void status(std::string_view text) const; // one line; newlines become spaces
    [[nodiscard]] bool is_asked() const { return !socket_.empty(); }

  private:
    void send(const std::string& message) const;
    std::string socket_;
};

} // namespace sallyport
