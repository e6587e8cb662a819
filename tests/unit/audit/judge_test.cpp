// SPDX-License-Identifier: Apache-2.0
// What is exposed, open, shut: each way in with its twin.
#include "audit/json.h"
#include "audit/judge.h"
#include "audit/suggest.h"
#include "audit/text.h"
#include "base/text.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

constexpr std::uint64_t kHost = 1, kBox = 2;

Address address(const std::string& text) {
    return parse_address(text).value();
}

ParsedPolicy parsed(const std::string& text) {
    const ParseWorld nothing{
        .read_file = [](const std::string&) -> Result<std::string> {
            return fail(ErrorKind::not_found, "no files here");
        },
        .user_id = [](const std::string&) { return std::nullopt; },
        .service_port = [](const std::string&, std::uint8_t) { return std::nullopt; }};
    return parse_policy(text, "policy.toml", nothing);
}

Reach reach_of(const std::string& rules, const std::string& host = "interfaces = [\"eth0\"]\n") {
    ParsedPolicy policy = parsed("schema = 1\n[host]\n" + host + rules);
    for (const Diagnostic& one : policy.diagnostics) UNSCOPED_INFO(to_text(one));
    REQUIRE(policy.policy);
    return {*std::move(policy.policy), std::move(policy.zones)};
}

const std::string kSsh = "[zones]\nadmin = [\"10.0.0.0/24\"]\n[[ingress]]\nname = \"ssh\"\n"
                         "from = \"admin\"\nproto = \"tcp\"\nports = [22]\n";

Listener listener(const std::string& at, std::uint16_t port, std::uint8_t proto = kTcp,
                  std::uint64_t place = kHost) {
    Listener one;
    one.place = place;
    one.proto = proto;
    one.address = address(at);
    one.port = port;
    return one;
}

// eth0 alone, and a box whose address the host routes to.
Machine machine(std::vector<Listener> listeners) {
    Machine made;
    Place host{.inode = kHost, .is_host = true, .container = {}, .nics = {}};
    host.nics.push_back(
        {.name = "eth0", .index = 2, .addresses = {address("10.1.0.1"), address("fd00:1::1")}});
    Place box{.inode = kBox, .container = "c0ffee", .nics = {}};
    box.nics.push_back({.name = "eth0", .index = 2, .addresses = {address("172.17.0.2")}});
    made.places = {host, box};
    made.listeners = std::move(listeners);
    made.nat.known = Known::yes;
    return made;
}

Judged judged(const Machine& made, Reach* reach, Wall wall) {
    const Report report = judge(made, reach, wall, {});
    REQUIRE(report.listeners.size() == 1);
    return report.listeners[0];
}

} // namespace

TEST_CASE("what no rule opens is shut behind a wall and exposed without one") {
    Reach reach = reach_of(kSsh);
    for (const char* at : {"0.0.0.0", "::", "10.1.0.1", "fd00:1::1"}) {
        const Machine made = machine({listener(at, 11434)});
        CHECK(judged(made, &reach, Wall::standing).state == State::shut);
        CHECK(judged(made, &reach, Wall::assumed).state == State::shut);
        CHECK(judged(made, &reach, Wall::observing).state == State::exposed);
        CHECK(judged(made, &reach, Wall::none).state == State::exposed);
        CHECK(judged(made, nullptr, Wall::none).state == State::exposed);
    }
}

TEST_CASE("what a rule declares is open, to whom it says") {
    Reach reach = reach_of(kSsh);
    const Judged one = judged(machine({listener("0.0.0.0", 22)}), &reach, Wall::standing);
    CHECK(one.state == State::open);
    CHECK(one.rules == std::vector<std::string>{"ssh"});
    REQUIRE(one.ways.size() == 1);
    CHECK(one.ways[0].sources.from == std::vector<std::string>{"admin"});
    // The rule speaks of IPv4 alone.
    Listener six = listener("::", 22);
    six.is_v6_only = true;
    CHECK(judged(machine({six}), &reach, Wall::standing).state == State::shut);
    CHECK(judged(machine({listener("::", 22)}), &reach, Wall::standing).state == State::open);
    CHECK(judged(machine({listener("0.0.0.0", 22, kUdp)}), &reach, Wall::standing).state ==
          State::shut);
    // Declared, though nothing holds others off: no finding.
    CHECK(judged(machine({listener("0.0.0.0", 22)}), &reach, Wall::none).state == State::open);
}

TEST_CASE("a policy that observes shuts nothing") {
    Reach reach = reach_of(kSsh, "interfaces = [\"eth0\"]\nmode = \"observe\"\n");
    CHECK(judged(machine({listener("::", 80)}), &reach, Wall::assumed).state == State::exposed);
}

TEST_CASE("loopback is reached by nobody, unless a port is rewritten to it") {
    Reach reach = reach_of(kSsh);
    for (const char* at : {"127.0.0.1", "127.8.8.8", "::1"})
        CHECK(judged(machine({listener(at, 6379)}), nullptr, Wall::none).state == State::loopback);
    Listener bound = listener("0.0.0.0", 6379);
    bound.interface = "lo";
    CHECK(judged(machine({bound}), nullptr, Wall::none).state == State::loopback);
    Machine made = machine({listener("127.0.0.1", 6379)});
    made.nat.published.push_back({.proto = kTcp,
                                  .at = std::nullopt,
                                  .low = 7000,
                                  .high = 7000,
                                  .interface = {},
                                  .to = address("127.0.0.1"),
                                  .to_port = 6379,
                                  .by = "nftables"});
    CHECK(judged(made, &reach, Wall::none).state == State::exposed);
    CHECK(judged(made, &reach, Wall::standing).state == State::loopback);
}

TEST_CASE("an interface that is not guarded exposes, and guards by VLAN and port count") {
    Reach reach = reach_of(kSsh);
    Machine made = machine({listener("0.0.0.0", 80)});
    made.places[0].nics.push_back({.name = "eth1", .index = 3, .addresses = {}});
    const Judged one = judged(made, &reach, Wall::standing);
    CHECK(one.state == State::exposed);
    REQUIRE(one.ways.size() == 1);
    CHECK(one.ways[0].interface == "eth1");
    CHECK(one.ways[0].shield == Shield::none);
    made.places[0].nics[1].lower = 2; // a VLAN of eth0
    CHECK(judged(made, &reach, Wall::standing).state == State::shut);
    made.places[0].nics[1].lower = 0;
    made.places[0].nics[0].master = 3; // a bond of eth0 alone
    CHECK(judged(made, &reach, Wall::standing).state == State::shut);
    made.places[0].nics.push_back({.name = "eth2", .index = 4, .master = 3, .addresses = {}});
    CHECK(judged(made, &reach, Wall::standing).state == State::exposed);
}

TEST_CASE("a socket that is bound to an interface is reached there alone") {
    Reach reach = reach_of(kSsh);
    Machine made = machine({listener("0.0.0.0", 80)});
    made.places[0].nics.push_back({.name = "eth1", .index = 3, .addresses = {}});
    made.listeners[0].interface = "eth0";
    CHECK(judged(made, &reach, Wall::standing).state == State::shut);
    made.listeners[0].interface = "eth1";
    CHECK(judged(made, &reach, Wall::standing).state == State::exposed);
}

TEST_CASE("a container's port is reached where it is published, by the ingress rules") {
    Reach reach = reach_of(kSsh + "[[ingress]]\nname = \"web\"\nfrom = \"any\"\nproto = \"tcp\"\n"
                                  "ports = [8080]\n");
    Machine made = machine({listener("0.0.0.0", 80, kTcp, kBox)});
    CHECK(judged(made, &reach, Wall::standing).state == State::shut);
    made.nat.published.push_back({.proto = kTcp,
                                  .at = std::nullopt,
                                  .low = 8080,
                                  .high = 8080,
                                  .interface = {},
                                  .to = address("172.17.0.2"),
                                  .to_port = 80,
                                  .by = "iptables"});
    const Judged one = judged(made, &reach, Wall::standing);
    CHECK(one.state == State::open);
    CHECK(one.rules == std::vector<std::string>{"web"});
    REQUIRE(one.ways.size() == 1);
    CHECK(one.ways[0].how == "published");
    CHECK(one.ways[0].port == 8080);
    made.nat.published[0].low = made.nat.published[0].high = 8081;
    CHECK(judged(made, &reach, Wall::standing).state == State::shut);
    CHECK(judged(made, &reach, Wall::none).state == State::exposed);
    made.nat.published[0].to = address("172.17.0.3"); // another box
    CHECK(judged(made, &reach, Wall::none).state == State::shut);
}

TEST_CASE("a container is reached by routing where the host routes, by the forward rules") {
    Reach closed = reach_of(kSsh);
    Reach open = reach_of("[[forward]]\nname = \"in\"\nfrom = \"10.0.0.0/8\"\n"
                          "to = \"172.17.0.0/16\"\nproto = \"tcp\"\nports = [80]\n");
    Machine made = machine({listener("0.0.0.0", 80, kTcp, kBox)});
    CHECK(judged(made, nullptr, Wall::none).state == State::shut);
    made.places[0].forwards_v4 = true;
    CHECK(judged(made, nullptr, Wall::none).state == State::exposed);
    CHECK(judged(made, &closed, Wall::standing).state == State::shut);
    CHECK(judged(made, &open, Wall::standing).state == State::open);
    made.places[1].nics.clear();
    CHECK(judged(made, nullptr, Wall::none).state == State::isolated);
}

TEST_CASE("a DHCP client is served by the essentials, a raw socket opens nothing") {
    Reach reach = reach_of(kSsh);
    CHECK(judged(machine({listener("0.0.0.0", 68, kUdp)}), &reach, Wall::none).state ==
          State::essential);
    Reach off = reach_of(kSsh + "[essentials]\ndhcp-client = false\n");
    CHECK(judged(machine({listener("0.0.0.0", 68, kUdp)}), &off, Wall::none).state ==
          State::exposed);
    CHECK(judged(machine({listener("0.0.0.0", 1, kRaw)}), &reach, Wall::none).state == State::raw);
}

TEST_CASE("findings come first, and names of processes come escaped") {
    Reach reach = reach_of(kSsh);
    Machine made = machine({listener("0.0.0.0", 22), listener("0.0.0.0", 99)});
    made.places[0].nics.push_back({.name = "eth1", .index = 3, .addresses = {}});
    Process process;
    process.comm = "x\n\x1b[2J";
    process.unit = "u\r.service";
    made.listeners[1].process = process;
    const Report report = judge(made, &reach, Wall::standing, {});
    CHECK(report.findings() == 1);
    CHECK(report.listeners[0].listener.port == 99);
    for (const std::string& text : {render(report, made, std::nullopt),
                                    suggest(report, made, {.session = {}, .resolvers = {}})}) {
        CHECK(text.find('\x1b') == std::string::npos);
        CHECK(text.find('\r') == std::string::npos);
        CHECK(text.find("x\\x0a") != std::string::npos);
    }
    CHECK(one_line(report.listeners[0]).find('\n') == std::string::npos);
}

TEST_CASE("what is suggested parses, without a warning, and opens each as far as is wise") {
    Service ollama{.name = "ollama",
                   .title = "Ollama",
                   .kind = "inference",
                   .danger = Danger::high,
                   .expose = Expose::lan,
                   .auth = "none",
                   .why = "free \"inference\"",
                   .exe = {"ollama"},
                   .argv = {},
                   .module = {},
                   .unit = {},
                   .ports = {11434}};
    Service ssh = ollama, web = ollama;
    ssh.name = "ssh", ssh.expose = Expose::admin, ssh.exe = {"sshd"}, ssh.ports = {22};
    web.name = "nginx", web.expose = Expose::any, web.exe = {"nginx"}, web.ports = {80};
    const Catalogue catalogue{.services = {ollama, ssh, web}};
    Machine made = machine({listener("0.0.0.0", 22), listener("::", 11434), listener("::", 80),
                            listener("0.0.0.0", 81), listener("0.0.0.0", 5000),
                            listener("127.0.0.1", 6000), listener("::", 11434, kUdp)});
    const char* exes[] = {"/sshd", "/ollama", "/nginx", "/nginx", "/x\"\n[[ingress]]", "/y", "/z"};
    for (std::size_t i = 0; i < made.listeners.size(); ++i) {
        made.listeners[i].process = Process{};
        made.listeners[i].process->exe = made.listeners[i].process->comm = exes[i];
    }
    const Report report = judge(made, nullptr, Wall::none, catalogue);
    const std::string text = suggest(report, made,
                                     {.session = {address("10.9.9.9"), address("2001:db8::7")},
                                      .resolvers = {address("9.9.9.9")}});
    INFO(text);
    ParsedPolicy policy = parsed(text);
    for (const Diagnostic& one : policy.diagnostics) FAIL_CHECK(to_text(one));
    REQUIRE(policy.policy);
    CHECK(policy.policy->host.mode == Mode::observe);
    Reach reach(*policy.policy, policy.zones);
    const auto admits = [&](const char* from, std::uint16_t port, std::uint8_t proto = kTcp) {
        return reach.ingress("eth0", proto, port).sources.holds(address(from));
    };
    CHECK(admits("10.9.9.9", 22));
    CHECK(admits("2001:db8::7", 22));
    CHECK_FALSE(admits("10.9.9.8", 22));
    CHECK(admits("10.0.0.1", 11434));
    CHECK(admits("fd00::1", 11434));
    CHECK_FALSE(admits("203.0.113.1", 11434));
    CHECK_FALSE(admits("10.0.0.1", 11434, kUdp));
    CHECK(admits("203.0.113.1", 80));
    CHECK_FALSE(admits("203.0.113.1", 81)); // a web server where nobody looks for one
    CHECK(admits("10.0.0.1", 81));
    CHECK_FALSE(admits("10.0.0.1", 5000));
    CHECK_FALSE(admits("10.0.0.1", 6000));
}

TEST_CASE("a published port is suggested for what is behind it, not for the proxy before it") {
    Service ollama, proxy;
    ollama.name = ollama.title = "ollama", ollama.expose = Expose::lan, ollama.exe = {"ollama"};
    proxy.name = proxy.title = "docker-proxy", proxy.exe = {"docker-proxy"};
    Machine made = machine({listener("0.0.0.0", 8080), listener("::", 11434, kTcp, kBox)});
    made.listeners[0].process = made.listeners[1].process = Process{};
    made.listeners[0].process->exe = "/usr/bin/docker-proxy";
    made.listeners[1].process->exe = "/bin/ollama";
    made.nat.published.push_back({.proto = kTcp,
                                  .at = std::nullopt,
                                  .low = 8080,
                                  .high = 8080,
                                  .interface = {},
                                  .to = address("172.17.0.2"),
                                  .to_port = 11434,
                                  .by = "docker-proxy"});
    const Catalogue catalogue{.services = {ollama, proxy}};
    for (int turn = 0; turn < 2; ++turn) {
        const std::string text = suggest(judge(made, nullptr, Wall::none, catalogue), made,
                                         {.session = {}, .resolvers = {}});
        INFO(text);
        ParsedPolicy policy = parsed(text);
        REQUIRE(policy.policy);
        Reach reach(*policy.policy, policy.zones);
        CHECK(reach.ingress("eth0", kTcp, 8080).sources.holds(address("10.0.0.1")));
        CHECK(reach.ingress("eth0", kTcp, 11434).sources.is_empty());
        std::swap(made.listeners[0], made.listeners[1]);
    }
}

TEST_CASE("a suggestion for a machine with nothing on it parses too") {
    Machine made;
    made.places.push_back({.inode = kHost, .is_host = true, .container = {}, .nics = {}});
    const std::string text = suggest(judge(made, nullptr, Wall::none, {}), made, {});
    INFO(text);
    CHECK(parsed(text).policy);
}

TEST_CASE("every key of a listener's JSON is there, whatever is known") {
    Machine made = machine({listener("0.0.0.0", 22), listener("::", 1, kRaw)});
    made.listeners[0].process = Process{};
    const Report report = judge(made, nullptr, Wall::none, {});
    const auto first = to_json(report.listeners[0], made);
    const auto second = to_json(report.listeners[1], made);
    std::vector<std::string> keys, others;
    for (const auto& [key, value] : first.items()) keys.push_back(key);
    for (const auto& [key, value] : second.items()) others.push_back(key);
    CHECK(keys == others);
    CHECK(keys.size() == 28);
}
