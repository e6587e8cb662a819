// SPDX-License-Identifier: Apache-2.0
// The command's side of the stream: a socket pair in the daemon's place, a pipe
// in the terminal's. What the daemon says is put there before the command reads.
#include "base/fd.h"
#include "cli/client.h"
#include "cli/tail_stream.h"
#include "event/json.h"
#include "support/events.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

const std::string kAnswer = "{\"ok\":true,\"tail\":true}\n";

class Stream {
  public:
    Stream() {
        int pair[2];
        SP_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        command = Fd(pair[0]), daemon = Fd(pair[1]);
        SP_CHECK(::pipe2(pair, O_CLOEXEC) == 0);
        reader = Fd(pair[0]), output = Fd(pair[1]);
        SP_CHECK(::pipe2(pair, O_CLOEXEC) == 0);
        signals = Fd(pair[0]), signaller = Fd(pair[1]);
    }
    void say(const std::string& text) const {
        SP_CHECK(::write(daemon.get(), text.data(), text.size()) ==
                 static_cast<ssize_t>(text.size()));
    }
    void say(const Event& event) const { say(to_json_line(event) + '\n'); }
    [[nodiscard]] TailStream options() const {
        TailStream stream;
        stream.socket = command.get();
        stream.output = output.get();
        stream.signals = signals.get();
        stream.format = Format::json;
        stream.zone = Zone::utc;
        return stream;
    }
    std::string shown() {
        output = Fd();
        std::string text;
        std::array<char, 4096> chunk;
        for (ssize_t got; (got = ::read(reader.get(), chunk.data(), chunk.size())) > 0;)
            text.append(chunk.data(), static_cast<std::size_t>(got));
        return text;
    }
    Fd command, daemon, reader, output, signals, signaller;
};

TailEnd run(const TailStream& stream) {
    const auto end = tail_stream(stream);
    REQUIRE(end);
    return *end;
}

} // namespace

TEST_CASE("events pass as the daemon wrote them, and its end is told") {
    Stream stream;
    stream.say(kAnswer);
    stream.say(refused_syn());
    stream.say(exfil_attempt());
    stream.daemon = Fd();
    CHECK(run(stream.options()) == TailEnd::daemon_gone);
    CHECK(stream.shown() ==
          to_json_line(refused_syn()) + "\n" + to_json_line(exfil_attempt()) + "\n");
}

TEST_CASE("the filter is sent along with the request") {
    Stream stream;
    stream.say(kAnswer);
    ::shutdown(stream.daemon.get(), SHUT_WR);
    TailStream options = stream.options();
    options.filter.exfil = true;
    options.filter.ports = {443};
    CHECK(run(options) == TailEnd::daemon_gone);
    LineReader request(stream.daemon.get());
    const auto line = request.next();
    REQUIRE(line);
    CHECK(**line == R"({"cmd":"tail","filter":{"exfil":true,"port":[443]}})");
}

TEST_CASE("after as many events as were asked for it ends, and lost ones do not count") {
    Stream stream;
    stream.say(kAnswer);
    stream.say(refused_syn());
    stream.say(lost_events(LostBy::ring_full, 4));
    stream.say(exfil_attempt());
    stream.say(refused_syn("192.0.2.99"));
    TailStream options = stream.options();
    options.count = 2;
    CHECK(run(options) == TailEnd::counted);
    const std::string shown = stream.shown();
    CHECK(shown.ends_with(to_json_line(exfil_attempt()) + "\n"));
    CHECK(std::count(shown.begin(), shown.end(), '\n') == 3);
}

TEST_CASE("for people each event is a line of text") {
    Stream stream;
    stream.say(kAnswer);
    stream.say(exfil_attempt());
    stream.daemon = Fd();
    TailStream options = stream.options();
    options.format = Format::text;
    CHECK(run(options) == TailEnd::daemon_gone);
    CHECK(stream.shown() == to_text(exfil_attempt(), Colour::never, Zone::utc) + "\n");
}

TEST_CASE("a line of a newer daemon is passed on, made safe for a terminal") {
    for (const Format format : {Format::json, Format::text}) {
        Stream stream;
        stream.say(kAnswer);
        stream.say("{\"v\":2,\"event\":\"novelty\x1b\"}\n");
        stream.daemon = Fd();
        TailStream options = stream.options();
        options.format = format;
        CHECK(run(options) == TailEnd::daemon_gone);
        const std::string shown = stream.shown();
        CHECK(shown.find("novelty") != std::string::npos);
        if (format == Format::text) CHECK(shown.find('\x1b') == std::string::npos);
    }
}

TEST_CASE("when the reader of the output has left it ends, even while nothing happens") {
    Stream stream;
    stream.say(kAnswer);
    stream.reader = Fd();
    CHECK(run(stream.options()) == TailEnd::reader_gone);
}

TEST_CASE("a signal ends it, whether it waits for events or for its reader") {
    Stream stream;
    stream.say(kAnswer);
    SP_CHECK(::write(stream.signaller.get(), "x", 1) == 1);
    CHECK(run(stream.options()) == TailEnd::interrupted);

    Stream stuck;
    stuck.say(kAnswer);
    stuck.say(refused_syn());
    REQUIRE(::fcntl(stuck.output.get(), F_SETFL, O_NONBLOCK) == 0);
    const std::string filler(4096, 'x');
    while (::write(stuck.output.get(), filler.data(), filler.size()) > 0) {
    }
    SP_CHECK(::write(stuck.signaller.get(), "x", 1) == 1);
    CHECK(run(stuck.options()) == TailEnd::interrupted);
}

TEST_CASE("the last word of the daemon to a slow reader is shown and told apart") {
    Stream stream;
    stream.say(kAnswer);
    stream.say(refused_syn());
    stream.say(lost_events(LostBy::slow_reader, 9));
    stream.daemon = Fd();
    CHECK(run(stream.options()) == TailEnd::cut_off);
    CHECK(stream.shown().find("\"count\":9") != std::string::npos);
}

TEST_CASE("a refusal is an error with the daemon's hint, and so is nonsense") {
    Stream stream;
    stream.say("{\"ok\":false,\"error\":\"no\",\"hint\":\"do this\"}\n");
    const auto refused = tail_stream(stream.options());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().hint == "do this");
    Stream babble;
    babble.say("hello\n");
    CHECK_FALSE(tail_stream(babble.options()));
}

TEST_CASE("half a line at the end is not shown") {
    Stream stream;
    stream.say(kAnswer);
    stream.say("{\"event\":");
    stream.daemon = Fd();
    CHECK(run(stream.options()) == TailEnd::daemon_gone);
    CHECK(stream.shown().empty());
}

TEST_CASE("a daemon that hangs is not waited for without end, and one with nothing to tell is") {
    Stream stream;
    TailStream options = stream.options();
    options.patience = std::chrono::milliseconds(20);
    const auto end = tail_stream(options);
    REQUIRE_FALSE(end);
    CHECK(end.error().message == "the daemon does not answer");

    Stream quiet;
    quiet.say(kAnswer);
    options = quiet.options();
    options.patience = std::chrono::milliseconds(20);
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        quiet.daemon = Fd();
    });
    CHECK(run(options) == TailEnd::daemon_gone);
    later.join();
}

TEST_CASE("in the shape of another system each event is a line of it, one that nobody knows too") {
    for (const EventFormat format : {EventFormat::eve, EventFormat::ecs, EventFormat::ocsf}) {
        Stream stream;
        stream.say(kAnswer);
        stream.say(exfil_attempt());
        stream.say("{\"v\":2,\"event\":\"novelty\x1b\"}\n");
        stream.daemon = Fd();
        TailStream options = stream.options();
        options.format = format;
        CHECK(run(options) == TailEnd::daemon_gone);
        const std::string shown = stream.shown();
        CHECK(shown.starts_with(to_line(exfil_attempt(), format) + "\n"));
        CHECK(std::count(shown.begin(), shown.end(), '\n') == 2);
        CHECK(shown.find("novelty") != std::string::npos);
        CHECK(shown.find('\x1b') == std::string::npos);
    }
}
