// SPDX-License-Identifier: Apache-2.0
// Real sockets in a directory of the test's own; the server is turned by hand,
// so that nothing depends on time.
#include "daemon/control.h"
#include "daemon/control_socket.h"
#include "event/json.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

Result<ordered_json> handle(const json& request, const Peer& peer) {
    const std::string cmd = request["cmd"];
    if (cmd == "status") return ordered_json{{"state", "protected"}};
    if (cmd == "who") return ordered_json{{"pid", peer.pid}, {"uid", peer.uid}};
    if (cmd == "large") return ordered_json{{"text", std::string(100'000, 'x')}};
    if (cmd == "clumsy") return ordered_json{{"n", request.at("n").get<int>()}};
    return fail(ErrorKind::invalid_input, "no command " + cmd, "try status");
}

class Client {
  public:
    explicit Client(const std::string& path) {
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

class Bench {
  public:
    explicit Bench(ControlLimits limits = {}) {
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
    std::vector<std::string> ask(Client& client, const std::string& text) {
        client.send(text);
        turn();
        return client.lines();
    }
    Client& listener(const std::string& request = R"({"cmd":"tail"})") {
        Client& client = listeners_.emplace_back(path);
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
    std::deque<Client> listeners_;
};

} // namespace

TEST_CASE("a request is answered by a line, several by as many, in order") {
    Bench bench;
    Client client(bench.path);
    CHECK(bench.ask(client, "{\"cmd\":\"status\"}\n") ==
          std::vector<std::string>{R"({"ok":true,"state":"protected"})"});
    const auto answers =
        bench.ask(client, "{\"cmd\":\"status\"}\n\r\n{\"cmd\":\"dance\"}\n{\"cmd\":");
    REQUIRE(answers.size() == 2);
    CHECK(answers[1] == R"({"ok":false,"error":"no command dance","hint":"try status"})");
    CHECK(bench.ask(client, "\"status\"}\n").size() == 1);
    CHECK_FALSE(client.has_ended());
}

TEST_CASE("the handler learns who asks from the kernel") {
    Bench bench;
    Client client(bench.path);
    const auto answers = bench.ask(client, "{\"cmd\":\"who\"}\n");
    REQUIRE(answers.size() == 1);
    const json answer = json::parse(answers[0]);
    CHECK(answer["pid"] == ::getpid());
    CHECK(answer["uid"] == ::geteuid());
}

TEST_CASE("one who closes his half after asking is still answered") {
    Bench bench;
    Client client(bench.path);
    client.send("{\"cmd\":\"status\"}\n");
    client.half_close();
    bench.turn();
    CHECK(client.lines().size() == 1);
    CHECK(client.has_ended());
    CHECK(bench.server().clients() == 0);
}

TEST_CASE("a listener that closed its half still gets events, and is gone when it leaves") {
    Bench bench;
    Client& client = bench.listener();
    client.half_close();
    bench.turn();
    bench.publish(refused_syn());
    CHECK(client.lines().size() == 1);
    client.leave();
    bench.turn();
    CHECK(bench.server().clients() == 0);
    bench.publish(refused_syn());
}

TEST_CASE("a request that makes no sense cuts off its sender alone") {
    Bench bench;
    Client& other = bench.listener();
    const std::string hidden("{\"cmd\":\"status\"}\0 and more\n", 27);
    for (const std::string& text :
         {std::string("hello\n"), std::string("[]\n"), std::string("{\"cmd\":7}\n"),
          std::string("{}\n"), std::string("\xff\xfe\n"), hidden}) {
        Client client(bench.path);
        const auto answers = bench.ask(client, text);
        REQUIRE(answers.size() == 1);
        CHECK(json::parse(answers[0])["ok"] == false);
        CHECK(client.has_ended());
    }
    bench.publish(refused_syn());
    CHECK(other.lines().size() == 1);
}

TEST_CASE("a filter that makes no sense is refused with a hint, and nothing follows") {
    Bench bench;
    Client client(bench.path);
    const auto answers =
        bench.ask(client, "{\"cmd\":\"tail\",\"filter\":{\"reason\":[\"no-rulez\"]}}\n");
    REQUIRE(answers.size() == 1);
    CHECK(json::parse(answers[0])["hint"].get<std::string>().find("no-rule") != std::string::npos);
    bench.publish(refused_syn());
    CHECK(client.lines().empty());
}

TEST_CASE("a request may be as long as the limit and no longer") {
    Bench bench;
    const auto padded = [](std::size_t size) {
        const std::string head = "{\"cmd\":\"status\"", tail = "}";
        return head + std::string(size - head.size() - tail.size(), ' ') + tail;
    };
    Client fits(bench.path);
    CHECK(bench.ask(fits, padded(64 << 10) + "\n").size() == 1);
    CHECK_FALSE(fits.has_ended());
    Client too_long(bench.path);
    static_cast<void>(bench.ask(too_long, padded((64 << 10) + 1) + "\n"));
    CHECK(too_long.lines().empty());
    CHECK(too_long.has_ended());
    Client endless(bench.path);
    const auto answers = bench.ask(endless, std::string(100'000, 'a'));
    CHECK(endless.has_ended());
    CHECK(answers.size() <= 1);
    CHECK(bench.server().clients() == 1);
}

TEST_CASE("a request of a shape that the handler did not expect is an error and no end") {
    Bench bench;
    Client client(bench.path);
    for (const char* text : {"{\"cmd\":\"clumsy\"}\n", "{\"cmd\":\"clumsy\",\"n\":\"x\"}\n"}) {
        const auto answers = bench.ask(client, text);
        REQUIRE(answers.size() == 1);
        CHECK(json::parse(answers[0])["ok"] == false);
    }
    CHECK(bench.ask(client, "{\"cmd\":\"clumsy\",\"n\":1}\n").at(0) == R"({"ok":true,"n":1})");
}

TEST_CASE("each listener gets what it asked for") {
    Bench bench;
    Client& all = bench.listener();
    Client& exfil = bench.listener(R"({"cmd":"tail","filter":{"exfil":true}})");
    bench.publish(refused_syn());
    bench.publish(exfil_attempt());
    CHECK(all.lines() ==
          std::vector<std::string>{to_json_line(refused_syn()), to_json_line(exfil_attempt())});
    CHECK(exfil.lines() == std::vector<std::string>{to_json_line(exfil_attempt())});
}

TEST_CASE("a client that does not listen hears nothing") {
    Bench bench;
    Client client(bench.path);
    REQUIRE(bench.ask(client, "{\"cmd\":\"status\"}\n").size() == 1);
    bench.publish(refused_syn());
    CHECK(client.lines().empty());
}

TEST_CASE("a slow reader is told and cut off, the others miss nothing") {
    Bench bench({.clients = 8, .request_bytes = 1024, .queue_bytes = 64 << 10});
    Client& slow = bench.listener();
    Client& quick = bench.listener();
    std::size_t quick_lines = 0;
    constexpr std::size_t kEvents = 20'000;
    for (std::size_t i = 0; i < kEvents; ++i) {
        bench.publish(refused_syn());
        quick_lines += quick.lines().size();
    }
    CHECK(quick_lines == kEvents);
    CHECK_FALSE(quick.has_ended());
    CHECK(bench.server().cut_off() == 1);

    std::vector<std::string> seen;
    do {
        for (std::string& line : slow.lines()) seen.push_back(std::move(line));
        bench.turn();
    } while (!slow.has_ended());
    CHECK_FALSE(slow.has_half_a_line());
    REQUIRE_FALSE(seen.empty());
    const auto last = event_from_json(seen.back());
    REQUIRE(last);
    CHECK(last->kind == EventKind::lost);
    CHECK(last->lost_by == LostBy::slow_reader);
    CHECK(last->count > 1);
    for (std::size_t i = 0; i + 1 < seen.size(); ++i)
        REQUIRE(seen[i] == to_json_line(refused_syn()));
    CHECK(seen.size() < kEvents);
    CHECK(bench.server().clients() == 1);
}

TEST_CASE("one who asks and never reads the answers is cut off") {
    Bench bench({.clients = 8, .request_bytes = 1024, .queue_bytes = 64 << 10});
    Client client(bench.path);
    for (int i = 0; i < 20 && bench.server().clients() <= 1; ++i) {
        client.send("{\"cmd\":\"large\"}\n");
        bench.turn();
        if (bench.server().clients() == 0) break;
    }
    CHECK(bench.server().clients() == 0);
}

TEST_CASE("clients beyond the limit are refused by name, and admitted when one has left") {
    Bench bench({.clients = 2, .request_bytes = 1024, .queue_bytes = 1024});
    Client first(bench.path);
    Client second(bench.path);
    Client third(bench.path);
    bench.turn();
    const auto answers = third.lines();
    REQUIRE(answers.size() == 1);
    CHECK(json::parse(answers[0])["ok"] == false);
    CHECK(third.has_ended());
    CHECK(bench.server().clients() == 2);
    first.leave();
    bench.turn();
    Client fourth(bench.path);
    CHECK(bench.ask(fourth, "{\"cmd\":\"status\"}\n").size() == 1);
}

TEST_CASE("one that was cut off and does not read its last line gives up its place") {
    Bench bench({.clients = 1, .request_bytes = 1024, .queue_bytes = 4096});
    Client& slow = bench.listener();
    while (bench.server().cut_off() == 0) bench.publish(refused_syn());
    CHECK(bench.server().clients() == 1);
    Client next(bench.path);
    CHECK(bench.ask(next, "{\"cmd\":\"status\"}\n").size() == 1);
    static_cast<void>(slow.lines());
    CHECK(slow.has_ended());
}

TEST_CASE("when descriptors have run out a client is refused and the server does not spin") {
    Bench bench;
    Client& listener = bench.listener();
    Client unlucky(bench.path); // in the backlog
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    std::vector<Fd> hoard;
    const rlimit tight{.rlim_cur = 64, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
    while (true) {
        Fd fd(::dup(0));
        if (!fd) break;
        hoard.push_back(std::move(fd));
    }
    bench.turn();
    hoard.clear();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    static_cast<void>(unlucky.lines());
    CHECK(unlucky.has_ended());
    bench.publish(refused_syn());
    CHECK(listener.lines().size() == 1);
    Client later(bench.path);
    CHECK(bench.ask(later, "{\"cmd\":\"status\"}\n").size() == 1);
}

TEST_CASE("a socket that a killed daemon left is replaced, a live one is a conflict") {
    const TempDir dir;
    const std::string path = dir / "control.sock";
    {
        // Bound and closed without unlink, as a kill leaves it.
        const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    REQUIRE(std::filesystem::exists(path));
    const auto server = ControlServer::open(path, handle);
    REQUIRE(server);
    const auto second = ControlServer::open(path, handle);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::conflict);
    CHECK(second.error().message.find(path) != std::string::npos);
    CHECK(second.error().hint.find("SALLYPORT_RUN_DIR") != std::string::npos);
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("what is no socket is not removed") {
    const TempDir dir;
    std::ofstream(dir / "control.sock") << "precious";
    const auto server = ControlServer::open(dir / "control.sock", handle);
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == ErrorKind::conflict);
    CHECK(std::filesystem::file_size(dir / "control.sock") == 8);
}

TEST_CASE("the socket goes with its server, but not another's that took its place") {
    const TempDir dir;
    const std::string path = dir / "control.sock";
    auto server = ControlServer::open(path, handle);
    REQUIRE(server);
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0007) == 0);
    server->reset();
    CHECK_FALSE(std::filesystem::exists(path));

    auto first = ControlServer::open(path, handle);
    REQUIRE(first);
    std::filesystem::rename(path, dir / "aside"); // keeps its inode from being used again
    const auto other = ControlServer::open(path, handle);
    REQUIRE(other);
    first->reset();
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("a path that no socket can have is an error that says so") {
    const TempDir dir;
    const auto server = ControlServer::open(dir / std::string(200, 'a'), handle);
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == ErrorKind::invalid_input);
    CHECK(server.error().hint.find("SALLYPORT_RUN_DIR") != std::string::npos);
    CHECK_FALSE(ControlServer::open("", handle));
}

TEST_CASE("where nobody listens a client is told that there is no daemon") {
    const TempDir dir;
    const auto none = connect_to(dir / "control.sock");
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == ErrorKind::not_found);
}
