// SPDX-License-Identifier: Apache-2.0
// What is asked over the control socket, and what is told.
#include "unit/daemon/control_bench.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;
using nlohmann::json;

TEST_CASE("a request is answered by a line, several by as many, in order") {
    ControlBench bench;
    ControlClient client(bench.path);
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
    ControlBench bench;
    ControlClient client(bench.path);
    const auto answers = bench.ask(client, "{\"cmd\":\"who\"}\n");
    REQUIRE(answers.size() == 1);
    const json answer = json::parse(answers[0]);
    CHECK(answer["pid"] == ::getpid());
    CHECK(answer["uid"] == ::geteuid());
}

TEST_CASE("a command line is told to root alone") {
    if (::geteuid() != 0) SKIP("it takes root to be somebody else for a while");
    ControlBench bench;
    REQUIRE(::chmod((bench.dir / ".").c_str(), 0755) == 0);
    REQUIRE(::chmod(bench.path.c_str(), 0666) == 0);
    ControlClient& root = bench.listener();
    REQUIRE(::seteuid(65534) == 0);
    ControlClient& reader = bench.listener();
    REQUIRE(::seteuid(0) == 0);
    Event event = exfil_attempt();
    event.cmdline = "curl -u root:secret";
    bench.server().take(event, to_json_line(for_everybody(event)));
    CHECK(root.lines() == std::vector{to_json_line(event)});
    CHECK(reader.lines() == std::vector{to_json_line(exfil_attempt())});
}

TEST_CASE("one who closes his half after asking is still answered") {
    ControlBench bench;
    ControlClient client(bench.path);
    client.send("{\"cmd\":\"status\"}\n");
    client.half_close();
    bench.turn();
    CHECK(client.lines().size() == 1);
    CHECK(client.has_ended());
    CHECK(bench.server().clients() == 0);
}

TEST_CASE("a listener that closed its half still gets events, and is gone when it leaves") {
    ControlBench bench;
    ControlClient& client = bench.listener();
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
    ControlBench bench;
    ControlClient& other = bench.listener();
    // What is copied by recursion must not be as deep as its sender likes.
    const std::string deep =
        "{\"cmd\":\"status\",\"x\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}\n";
    const std::string hidden("{\"cmd\":\"status\"}\0 and more\n", 27);
    for (const std::string& text :
         {std::string("hello\n"), std::string("[]\n"), std::string("{\"cmd\":7}\n"),
          std::string("{}\n"), std::string("\xff\xfe\n"), hidden, deep}) {
        ControlClient client(bench.path);
        const auto answers = bench.ask(client, text);
        REQUIRE(answers.size() == 1);
        CHECK(json::parse(answers[0])["ok"] == false);
        CHECK(client.has_ended());
    }
    bench.publish(refused_syn());
    CHECK(other.lines().size() == 1);
}

TEST_CASE("a filter that makes no sense is refused with a hint, and nothing follows") {
    ControlBench bench;
    ControlClient client(bench.path);
    const auto answers =
        bench.ask(client, "{\"cmd\":\"tail\",\"filter\":{\"reason\":[\"no-rulez\"]}}\n");
    REQUIRE(answers.size() == 1);
    CHECK(json::parse(answers[0])["hint"].get<std::string>().find("no-rule") != std::string::npos);
    bench.publish(refused_syn());
    CHECK(client.lines().empty());
}

TEST_CASE("a request may be as long as the limit and no longer") {
    ControlBench bench;
    const auto padded = [](std::size_t size) {
        const std::string head = "{\"cmd\":\"status\"", tail = "}";
        return head + std::string(size - head.size() - tail.size(), ' ') + tail;
    };
    ControlClient fits(bench.path);
    CHECK(bench.ask(fits, padded(64 << 10) + "\n").size() == 1);
    CHECK_FALSE(fits.has_ended());
    ControlClient too_long(bench.path);
    static_cast<void>(bench.ask(too_long, padded((64 << 10) + 1) + "\n"));
    CHECK(too_long.lines().empty());
    CHECK(too_long.has_ended());
    ControlClient endless(bench.path);
    const auto answers = bench.ask(endless, std::string(100'000, 'a'));
    CHECK(endless.has_ended());
    CHECK(answers.size() <= 1);
    CHECK(bench.server().clients() == 1);
}

TEST_CASE("a request of a shape that the handler did not expect is an error and no end") {
    ControlBench bench;
    ControlClient client(bench.path);
    for (const char* text : {"{\"cmd\":\"clumsy\"}\n", "{\"cmd\":\"clumsy\",\"n\":\"x\"}\n"}) {
        const auto answers = bench.ask(client, text);
        REQUIRE(answers.size() == 1);
        CHECK(json::parse(answers[0])["ok"] == false);
    }
    CHECK(bench.ask(client, "{\"cmd\":\"clumsy\",\"n\":1}\n").at(0) == R"({"ok":true,"n":1})");
}

TEST_CASE("each listener gets what it asked for") {
    ControlBench bench;
    ControlClient& all = bench.listener();
    ControlClient& exfil = bench.listener(R"({"cmd":"tail","filter":{"exfil":true}})");
    bench.publish(refused_syn());
    bench.publish(exfil_attempt());
    CHECK(all.lines() ==
          std::vector<std::string>{to_json_line(refused_syn()), to_json_line(exfil_attempt())});
    CHECK(exfil.lines() == std::vector<std::string>{to_json_line(exfil_attempt())});
}

TEST_CASE("a client that does not listen hears nothing") {
    ControlBench bench;
    ControlClient client(bench.path);
    REQUIRE(bench.ask(client, "{\"cmd\":\"status\"}\n").size() == 1);
    bench.publish(refused_syn());
    CHECK(client.lines().empty());
}
