// SPDX-License-Identifier: Apache-2.0
#include "daemon/control_client.h"

#include "base/json_words.h"
#include "base/nesting.h"
#include "event/json.h"

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
    queue_.push_back({std::move(line), Queued::Kind::answer});
}

ControlClient::Fate ControlClient::publish(const Event& event, const SharedLine& line) {
    if (queued_bytes_ + line->size() > limits_.queue_bytes) {
        cut_off(event);
    } else {
        queue_.push_back({line, Queued::Kind::event});
        queued_bytes_ += line->size();
        if (queue_.size() > 1) return Fate::stays; // the socket was full already; epoll will tell
    }
    return handle_output();
}

void ControlClient::cut_off(const Event& event) {
    Event lost;
    lost.at = event.at;
    lost.host = event.host;
    lost.kind = EventKind::lost;
    lost.lost_by = LostBy::slow_reader;
    lost.count = 1; // the one that did not fit
    // A line that has begun to leave must end, or the last one cannot be read.
    const std::size_t keep = sent_of_first_ > 0 ? 1 : 0;
    while (queue_.size() > keep) {
        if (queue_.back().kind == Queued::Kind::event) ++lost.count;
        queued_bytes_ -= queue_.back().line->size();
        queue_.pop_back();
    }
    auto last = std::make_shared<const std::string>(to_json_line(lost) + '\n');
    queued_bytes_ += last->size();
    queue_.push_back({std::move(last), Queued::Kind::event});
    lost_ = lost.count;
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
    }
    return leaving_ ? Fate::goes : Fate::stays;
}

std::uint32_t ControlClient::interest() const {
    return (input_ended_ ? 0u : static_cast<std::uint32_t>(EPOLLIN)) |
           (queue_.empty() ? 0u : static_cast<std::uint32_t>(EPOLLOUT));
}

} // namespace sallyport
