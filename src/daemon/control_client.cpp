// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_client.h"

#include "base/json_words.h"
#include "base/nesting.h"
#include "event/json.h"
#include "sallyport/abi/event.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json refusal(const Error& error) {
    ordered_json object{{"ok", false}, {"error", error.text()}};
    if (!error.hint.empty()) object["hint"] = error.hint;
    return object;
}

constexpr std::size_t kNestingMost = 64;

bool would_block(int number) {
    return number == EAGAIN || number == EINTR || number == ENOBUFS;
}

} // namespace

ControlClient::Fate ControlClient::handle_input(const ControlHandler& handler) {
    std::array<char, 16384> chunk;
    const ssize_t got = ::recv(fd(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got < 0) return would_block(errno) ? Fate::stays : Fate::goes;
    if (got == 0) {
        // Only its sending half need have closed: what was asked is still answered.
        input_ended_ = true;
        if (!filter_) leaving_ = true;
        return handle_output();
    }
    input_.append(chunk.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end; !leaving_ && (end = input_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
        if (end - begin > limits_.request_bytes) return Fate::goes;
        answer(input_.substr(begin, end - begin), handler);
        // Who does not read its answers is not owed any more of them.
        if (queued_bytes_ > limits_.queue_bytes) return Fate::goes;
    }
    input_.erase(0, begin);
    if (input_.size() > limits_.request_bytes) {
        queue_answer(refusal(
            Error{.kind = ErrorKind::invalid_input,
                  .message = fmt::format("a request of more than {} bytes", limits_.request_bytes),
                  .hint = {},
                  .contexts = {},
                  .verifier_log = {}}));
        input_.clear();
        input_ended_ = leaving_ = true;
    }
    return handle_output();
}

void ControlClient::answer(const std::string& request, const ControlHandler& handler) {
    if (request.find_first_not_of(" \t\r") == std::string::npos) return;
    queue_answer(answer_to(request, handler));
}

ordered_json ControlClient::answer_to(const std::string& text, const ControlHandler& handler) {
    // The parser takes a zero byte for the end, whatever follows it.
    const bool is_text = text.find('\0') == std::string::npos && !nests_beyond(text, kNestingMost);
    const json request = is_text ? json::parse(text, nullptr, false) : json();
    if (!request.is_object() || !request.contains("cmd") || !request["cmd"].is_string()) {
        leaving_ = input_ended_ = true;
        return refusal(
            fail(ErrorKind::invalid_input, "a request is a JSON object with a \"cmd\"").error());
    }
    try {
        if (request["cmd"] == "tail") return begin_tail(request);
        const auto result = handler(request, peer_);
        if (!result) return refusal(result.error());
        ordered_json object{{"ok", true}};
        if (result->is_object()) object.update(*result);
        return object;
    } catch (const json::exception& error) { // a request of another shape than the handler thought
        return refusal(fail(ErrorKind::invalid_input, json_words(error.what())).error());
    }
}

ordered_json ControlClient::begin_tail(const json& request) {
    const auto filter = filter_from_json(request.value("filter", json::object()));
    if (!filter) return refusal(filter.error());
    const bool packets = request.value("packets", false);
    // They hold what was said, not only who spoke.
    if (packets && !is_root())
        return refusal(fail(ErrorKind::permission, "packets are shown to root alone",
                            "without --pcap, members of the group sallyport see events")
                           .error());
    std::optional<Recent::Place> place;
    if (request.contains("since")) {
        const json& since = request["since"];
        if (!since.is_number_unsigned())
            return refusal(
                fail(ErrorKind::invalid_input, "\"since\" is a whole number of seconds").error());
        const auto seconds =
            std::min<std::uint64_t>(since.get<std::uint64_t>(), std::uint64_t{366} * 24 * 3600);
        const auto from =
            std::chrono::steady_clock::now() - std::chrono::seconds(static_cast<long>(seconds));
        place = (packets ? past_.packets : past_.events)->since(from);
    }
    stream_ = packets ? Stream::packets : Stream::events;
    filter_ = *filter;
    place_ = place;
    return {{"ok", true}, {"tail", true}};
}

// So much that the socket is kept busy, and no more: who is slow must not have it all twice.
void ControlClient::queue_past() {
    const Recent& recent = *(stream_ == Stream::packets ? past_.packets : past_.events);
    while (place_ && filter_ && queued_bytes_ < limits_.queue_bytes / 4) {
        const Recent::Step step = recent.next(*place_);
        if (step.missed != 0) {
            lost_ += step.missed;
            queue_event(
                std::make_shared<const std::string>(to_json_line(lost_event(step.missed)) + '\n'),
                step.missed, step.missed);
        }
        if (step.kept == nullptr) {
            place_.reset();
            return;
        }
        const Recent::Kept& kept = *step.kept;
        latest_at_ = kept.event.at;
        if (host_.empty()) host_ = kept.event.host;
        if (!matches(*filter_, kept.event)) continue;
        SharedLine line = is_root() && kept.whole ? kept.whole : kept.line;
        if (!line && kept.capture)
            line =
                std::make_shared<const std::string>(packet_line(kept.event, *kept.capture) + '\n');
        if (line) queue_event(std::move(line), 1, 0);
    }
}

void ControlClient::queue_answer(const ordered_json& object) {
    auto line = std::make_shared<const std::string>(
        object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n');
    queued_bytes_ += line->size();
    queue_.push_back({.line = std::move(line)});
}

void ControlClient::queue_event(SharedLine line, std::uint64_t events, std::uint64_t lost) {
    queued_bytes_ += line->size();
    queue_.push_back({.line = std::move(line), .events = events, .lost = lost});
}

Event ControlClient::lost_event(std::uint64_t count) const {
    Event lost;
    lost.at = latest_at_;
    lost.host = host_;
    lost.kind = EventKind::lost;
    lost.lost_by = LostBy::slow_reader;
    lost.count = count;
    return lost;
}

// Begun at a half and ended at a quarter, so that it does not alternate.
bool ControlClient::leaves_out(const Event& event, std::size_t bytes) {
    is_behind_ = is_behind_ ? queued_bytes_ > limits_.queue_bytes / 4
                            : queued_bytes_ + bytes > limits_.queue_bytes / 2;
    return is_behind_ && event.direction == SP_INGRESS && is_about_packet(event);
}

void ControlClient::tell_left_out() {
    if (left_out_ == 0) return;
    auto line = std::make_shared<const std::string>(to_json_line(lost_event(left_out_)) + '\n');
    queue_event(std::move(line), left_out_, left_out_);
    left_out_ = 0;
}

ControlClient::Fate ControlClient::publish(const Event& event, const SharedLine& line) {
    latest_at_ = event.at;
    if (host_.empty()) host_ = event.host;
    if (leaves_out(event, line->size())) {
        ++left_out_;
        ++lost_;
        return Fate::stays; // epoll tells when the socket takes more; to ask it each time is dear
    }
    if (queued_bytes_ + line->size() > limits_.queue_bytes) {
        cut_off();
        return handle_output();
    }
    tell_left_out();
    queue_event(line, 1, 0);
    if (queue_.size() > 1) return Fate::stays; // the socket was full already; epoll will tell
    return handle_output();
}

void ControlClient::cut_off() {
    std::uint64_t count = 1 + left_out_; // the one that did not fit
    ++lost_;
    // A line that has begun to leave must end, or the last one cannot be read.
    const std::size_t keep = sent_of_first_ > 0 ? 1 : 0;
    while (queue_.size() > keep) {
        count += queue_.back().events;
        lost_ += queue_.back().events - queue_.back().lost;
        queued_bytes_ -= queue_.back().line->size();
        queue_.pop_back();
    }
    left_out_ = 0;
    queue_event(std::make_shared<const std::string>(to_json_line(lost_event(count)) + '\n'), 0, 0);
    filter_.reset();
    input_ended_ = leaving_ = cut_off_ = true;
}

ControlClient::Fate ControlClient::handle_output() {
    if (place_ && !leaving_) queue_past();
    while (!queue_.empty()) {
        const std::string& line = *queue_.front().line;
        const ssize_t sent = ::send(fd(), line.data() + sent_of_first_,
                                    line.size() - sent_of_first_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) return would_block(errno) ? Fate::stays : Fate::goes;
        sent_of_first_ += static_cast<std::size_t>(sent);
        if (sent_of_first_ < line.size()) continue;
        queued_bytes_ -= line.size();
        sent_of_first_ = 0;
        queue_.pop_front();
        if (place_ && !leaving_) queue_past();
        if (queue_.empty()) tell_left_out(); // it has caught up
    }
    return leaving_ ? Fate::goes : Fate::stays;
}

std::uint32_t ControlClient::interest() const {
    return (input_ended_ ? 0u : static_cast<std::uint32_t>(EPOLLIN)) |
           (queue_.empty() ? 0u : static_cast<std::uint32_t>(EPOLLOUT));
}

} // namespace sallyport
