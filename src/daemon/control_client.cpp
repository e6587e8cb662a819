// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_client.h"

#include "base/json_words.h"
#include "base/nesting.h"
#include "event/json.h"
#include "sallyport/abi/event.h"

#include <array>
#include <cerrno>
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
    if (request["cmd"] == "tail") {
        const auto filter = filter_from_json(request.value("filter", json::object()));
        if (!filter) return refusal(filter.error());
        filter_ = *filter;
        return {{"ok", true}, {"tail", true}};
    }
    try {
        const auto result = handler(request, peer_);
        if (!result) return refusal(result.error());
        ordered_json object{{"ok", true}};
        if (result->is_object()) object.update(*result);
        return object;
    } catch (const json::exception& error) { // a request of another shape than the handler thought
        return refusal(fail(ErrorKind::invalid_input, json_words(error.what())).error());
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
        if (queue_.empty()) tell_left_out(); // it has caught up
    }
    return leaving_ ? Fate::goes : Fate::stays;
}

std::uint32_t ControlClient::interest() const {
    return (input_ended_ ? 0u : static_cast<std::uint32_t>(EPOLLIN)) |
           (queue_.empty() ? 0u : static_cast<std::uint32_t>(EPOLLOUT));
}

} // namespace sallyport
