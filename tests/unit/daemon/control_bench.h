// SPDX-License-Identifier: Apache-2.0
#pragma once
// Real sockets in a directory of the test's own; the server is turned by hand,
// so that nothing depends on time.
#include "daemon/control.h"
#include "daemon/control_socket.h"
#include "event/json.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <deque>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace sallyport::test {

inline Result<nlohmann::ordered_json> handle(const nlohmann::json& request, const Peer& peer) {
    const std::string cmd = request["cmd"];
    if (cmd == "status") return nlohmann::ordered_json{{"state", "protected"}};
    if (cmd == "who") return nlohmann::ordered_json{{"pid", peer.pid}, {"uid", peer.uid}};
    if (cmd == "large") return nlohmann::ordered_json{{"text", std::string(100'000, 'x')}};
    if (cmd == "clumsy") return nlohmann::ordered_json{{"n", request.at("n").get<int>()}};
    return fail(ErrorKind::invalid_input, "no command " + cmd, "try status");
}

class ControlClient {
  public:
    explicit ControlClient(const std::string& path) {
        auto socket = connect_to(path);
        REQUIRE(socket);
        socket_ = std::move(*socket);
    }
    void send(const std::string& text) {
        REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                static_cast<ssize_t>(text.size()));
    }
    void half_close() { ::shutdown(socket_.get(), SHUT_WR); }
    void leave() { socket_ = Fd(); }
    // What has arrived by now, line by line.
    std::vector<std::string> lines() {
        std::array<char, 65536> chunk;
        ssize_t got = 0;
        while ((got = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0)
            buffer_.append(chunk.data(), static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno == ECONNRESET)) ended_ = true;
        std::vector<std::string> whole;
        for (std::size_t end; (end = buffer_.find('\n')) != std::string::npos;
             buffer_.erase(0, end + 1))
            whole.push_back(buffer_.substr(0, end));
        return whole;
    }
    [[nodiscard]] bool has_ended() const { return ended_; }
    [[nodiscard]] bool has_half_a_line() const { return !buffer_.empty(); }

  private:
    Fd socket_;
    std::string buffer_;
    bool ended_ = false;
};

class ControlBench {
  public:
    explicit ControlBench(ControlLimits limits = {}) {
        auto server = ControlServer::open(path, handle, limits);
        REQUIRE(server);
        server_ = std::move(*server);
    }
    // Until the server has nothing more to do.
    void turn() {
        pollfd ready{.fd = server_->epoll_fd(), .events = POLLIN, .revents = 0};
        int rounds = 0;
        while (::poll(&ready, 1, 0) == 1) {
            server_->handle_ready();
            REQUIRE(++rounds < 10'000); // or it would spin in the daemon too
        }
    }
    std::vector<std::string> ask(ControlClient& client, const std::string& text) {
        client.send(text);
        turn();
        return client.lines();
    }
    ControlClient& listener(const std::string& request = R"({"cmd":"tail"})") {
        ControlClient& client = listeners_.emplace_back(path);
        const auto answer = ask(client, request + "\n");
        REQUIRE(answer.size() == 1);
        REQUIRE(answer[0] == R"({"ok":true,"tail":true})");
        return client;
    }
    void publish(const Event& event) { server_->take(event, to_json_line(event)); }
    ControlServer& server() { return *server_; }

    TempDir dir;
    std::string path = dir / "run/control.sock";

  private:
    std::unique_ptr<ControlServer> server_;
    std::deque<ControlClient> listeners_;
};

} // namespace sallyport::test
