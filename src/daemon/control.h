// SPDX-License-Identifier: Apache-2.0
#pragma once
// The control socket's server. A request is one line of JSON, {"cmd":"status"};
// its answer is one line, {"ok":true,...} or {"ok":false,"error":...,"hint":...}.
// {"cmd":"tail","filter":{...}} is answered by {"ok":true,"tail":true} and then
// by a line for each event that matches, until one side closes. With "since":SECONDS it
// begins with what is still remembered of that time. With "packets":true, for root alone,
// it is a line for each packet instead (event/capture.h), repeats and all.
//
// Nothing here blocks. Each client has a queue of bounded size. Who is slow gets no arrivals for a
// while, and a `lost` line; who lets the queue overflow is told by a last such line and cut
// off, alone.
#include "base/result.h"
#include "event/sink.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/types.h>

namespace sallyport {

// Who asks, as the kernel says (SO_PEERCRED).
struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};

// Called for every request but tail, with "cmd" a string. What it returns on
// success is an object, sent with "ok" added; it decides by `peer` who may.
using ControlHandler =
    std::function<Result<nlohmann::ordered_json>(const nlohmann::json& request, const Peer& peer)>;

struct ControlLimits {
    std::size_t clients = 256;
    std::size_t request_bytes = 64u << 10; // a longer line cuts its sender off
    std::size_t queue_bytes = 1u << 20;    // unsent bytes of one client
    std::size_t recent_bytes = 2u << 20;   // remembered: of arrivals, of else, and of packets both
};

class ControlServer final : public EventSink, public PacketSink {
  public:
    // Makes the directory (0755) where it is missing, replaces the socket of a
    // daemon that is gone. ErrorKind::conflict when one answers there. The socket
    // is 0660 for the group `sallyport` where it exists, else 0600.
    [[nodiscard]] static Result<std::unique_ptr<ControlServer>>
    open(const std::string& path, ControlHandler handler, ControlLimits limits = {});
    ~ControlServer() override; // removes the socket, when it is still ours

    // Readable when handle_ready() has something to do; for the daemon's own epoll.
    [[nodiscard]] int epoll_fd() const;
    void handle_ready();
    void take(const Event& event, const std::string& line) override;
    void take_packet(Event event, Capture capture) override;
    void take_packet_loss(Event event) override;

    [[nodiscard]] std::size_t clients() const;
    [[nodiscard]] std::uint64_t cut_off() const; // slow readers, ever
    [[nodiscard]] std::uint64_t lost() const;    // events these were not sent

  private:
    struct Impl;
    explicit ControlServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace sallyport
