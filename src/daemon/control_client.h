// SPDX-License-Identifier: Apache-2.0
#pragma once
// One client of the control socket: what it has sent, what it is still to be
// sent, and whether it listens to events.
#include "base/fd.h"
#include "daemon/control.h"
#include "event/filter.h"
#include "event/recent.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

class ControlClient {
  public:
    enum class Fate : std::uint8_t { stays, goes };

    enum class Stream : std::uint8_t { events, packets };
    // What `since` reaches back into; not owned.
    struct Past {
        const Recent* events = nullptr;
        const Recent* packets = nullptr;
    };

    ControlClient(Fd socket, Peer peer, const ControlLimits& limits, Past past)
        : socket_(std::move(socket)), peer_(peer), limits_(limits), past_(past) {}

    // Reads once and answers every whole line there is.
    [[nodiscard]] Fate handle_input(const ControlHandler& handler);
    // Sends what the socket takes.
    [[nodiscard]] Fate handle_output();
    [[nodiscard]] bool wants(const Event& event, Stream stream) const {
        return filter_ && stream_ == stream && matches(*filter_, event);
    }
    // It is still being sent what was before it came. What comes now follows from there: until
    // it has caught up, go_on() stands for publish().
    [[nodiscard]] bool is_in_past() const { return place_.has_value(); }
    [[nodiscard]] Fate go_on() { return queue_.empty() ? handle_output() : Fate::stays; }
    [[nodiscard]] bool is_root() const { return peer_.uid == 0; }
    // One event it wants. Anybody can make arrivals, at any rate: while half of the queue is unsent
    // they are left out for this reader, who is told how many when it has caught up, and what
    // tries to leave still reaches it. The whole queue unsent: it is told and cut off.
    [[nodiscard]] Fate publish(const Event& event, const SharedLine& line);

    // For epoll; 0 but for errors and hang-up, which are always told.
    [[nodiscard]] std::uint32_t interest() const;
    std::uint32_t registered = 0; // the interest the epoll knows of
    [[nodiscard]] int fd() const { return socket_.get(); }
    // Only waiting for its last lines to leave.
    [[nodiscard]] bool is_leaving() const { return leaving_; }
    [[nodiscard]] bool was_cut_off() const { return cut_off_; }
    // Events it was not sent, ever.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    struct Queued {
        SharedLine line;
        std::uint64_t events = 0; // that it stands for: none for an answer
        std::uint64_t lost = 0;   // of them
    };
    void answer(const std::string& request, const ControlHandler& handler);
    [[nodiscard]] nlohmann::ordered_json answer_to(const std::string& request,
                                                   const ControlHandler& handler);
    [[nodiscard]] nlohmann::ordered_json begin_tail(const nlohmann::json& request);
    void queue_past();
    void queue_answer(const nlohmann::ordered_json& object);
    void queue_event(SharedLine line, std::uint64_t events, std::uint64_t lost);
    [[nodiscard]] Event lost_event(std::uint64_t count) const;
    [[nodiscard]] bool leaves_out(const Event& event, std::size_t bytes);
    void tell_left_out();
    void cut_off();

    Fd socket_;
    Peer peer_;
    ControlLimits limits_;
    Past past_;
    Stream stream_ = Stream::events;
    std::optional<Recent::Place> place_; // set: it is in the past
    std::string input_;
    std::deque<Queued> queue_;
    std::size_t queued_bytes_ = 0;
    std::size_t sent_of_first_ = 0;
    std::optional<EventFilter> filter_; // set: it listens
    bool input_ended_ = false;
    bool leaving_ = false;
    bool cut_off_ = false;
    bool is_behind_ = false;     // arrivals are left out
    std::uint64_t left_out_ = 0; // that it has not been told of yet
    WallTime latest_at_{};       // of what it was last to be sent
    std::string host_;
    std::uint64_t lost_ = 0;
};

} // namespace sallyport
