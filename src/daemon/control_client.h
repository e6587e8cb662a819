// SPDX-License-Identifier: Apache-2.0
#pragma once
// One client of the control socket: what it has sent, what it is still to be
// sent, and whether it listens to events.
#include "base/fd.h"
#include "daemon/control.h"
#include "event/filter.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

using SharedLine = std::shared_ptr<const std::string>; // with its newline

class ControlClient {
  public:
    enum class Fate : std::uint8_t { stays, goes };

    ControlClient(Fd socket, Peer peer, const ControlLimits& limits)
        : socket_(std::move(socket)), peer_(peer), limits_(limits) {}

    // Reads once and answers every whole line there is.
    [[nodiscard]] Fate handle_input(const ControlHandler& handler);
    // Sends what the socket takes.
    [[nodiscard]] Fate handle_output();
    [[nodiscard]] bool wants(const Event& event) const {
        return filter_ && matches(*filter_, event);
    }
    [[nodiscard]] bool is_root() const { return peer_.uid == 0; }
    // One event it wants. Too much unsent: it is told and cut off.
    [[nodiscard]] Fate publish(const Event& event, const SharedLine& line);

    // For epoll; 0 but for errors and hang-up, which are always told.
    [[nodiscard]] std::uint32_t interest() const;
    std::uint32_t registered = 0; // the interest the epoll knows of
    [[nodiscard]] int fd() const { return socket_.get(); }
    // Only waiting for its last lines to leave.
    [[nodiscard]] bool is_leaving() const { return leaving_; }
    [[nodiscard]] bool was_cut_off() const { return cut_off_; }
    // Events it was not sent for that.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    struct Queued {
        SharedLine line;
        enum class Kind : std::uint8_t { answer, event } kind;
    };
    void answer(const std::string& request, const ControlHandler& handler);
    [[nodiscard]] nlohmann::ordered_json answer_to(const std::string& request,
                                                   const ControlHandler& handler);
    void queue_answer(const nlohmann::ordered_json& object);
    void cut_off(const Event& event);

    Fd socket_;
    Peer peer_;
    ControlLimits limits_;
    std::string input_;
    std::deque<Queued> queue_;
    std::size_t queued_bytes_ = 0;
    std::size_t sent_of_first_ = 0;
    std::optional<EventFilter> filter_; // set: it listens
    bool input_ended_ = false;
    bool leaving_ = false;
    bool cut_off_ = false;
    std::uint64_t lost_ = 0;
};

} // namespace sallyport
