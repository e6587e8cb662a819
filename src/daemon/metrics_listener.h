// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics over HTTP on a loopback address, for a Prometheus on this machine. libmicrohttpd
// speaks the protocol; nothing here blocks, and who is slow is let go after ten seconds.
#include "base/ip.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sallyport {

struct MetricsAddress {
    Address address; // 127.0.0.0/8 or ::1
    std::uint16_t port = 0;
};

// "127.0.0.1:9434", "[::1]:9434". An address that others could reach is an error: what the
// rules are called is for this machine alone.
[[nodiscard]] Result<MetricsAddress> parse_metrics_address(std::string_view text);

class MetricsListener {
  public:
    // `text` is called for each scrape; an error is answered by 503 and its words.
    using Source = std::function<Result<std::string>()>;
    // ErrorKind::conflict when the port is taken.
    [[nodiscard]] static Result<std::unique_ptr<MetricsListener>> open(const MetricsAddress& at,
                                                                       Source text);
    MetricsListener(const MetricsListener&) = delete;
    MetricsListener& operator=(const MetricsListener&) = delete;
    ~MetricsListener();

    // Readable when handle_ready() has something to do; which also lets go of who is slow, and
    // so is to be called now and then all the same.
    [[nodiscard]] int epoll_fd() const;
    void handle_ready();

  private:
    struct Impl;
    explicit MetricsListener(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sallyport
