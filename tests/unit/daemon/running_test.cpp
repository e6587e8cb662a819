// SPDX-License-Identifier: Apache-2.0
#include "daemon/running.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <netinet/in.h>

using namespace sallyport;

namespace {

constexpr std::uint64_t kRag = 100;
constexpr std::uint64_t kOllama = 101;
constexpr std::uint64_t kGone = 102;

Address address(const std::string& text) {
    return parse_address(text).value();
}

Interface interface(const std::string& name, unsigned index,
                    const std::vector<std::string>& addresses) {
    Interface made;
    made.name = name;
    made.index = index;
    made.is_loopback = name == "lo";
    for (const std::string& text : addresses)
        made.addresses.push_back({address(text), SP_LOCAL_HOST});
    return made;
}

// eth0 is guarded, docker0 is not.
RunningWorld world() {
    return {.interfaces = {interface("lo", 1, {"127.0.0.1", "::1", "10.5.5.5"}),
                           interface("eth0", 2, {"10.0.1.5", "fd00:1::5", "fe80::5"}),
                           interface("docker0", 3, {"172.17.0.1", "fd00:2::1", "fe80::1"})},
            .is_guarded = [](const Interface& one) { return one.name == "eth0"; },
            .cgroup_path = [](std::uint64_t id) -> std::optional<std::string> {
                if (id == kRag) return "/system.slice/rag.service";
                if (id == kOllama) return "/machine.slice/ollama.scope";
                return std::nullopt;
            }};
}

Rule rule(const std::string& name, Direction direction, const std::string& peer,
          std::uint16_t port) {
    Rule made;
    made.name = name;
    made.direction = direction;
    PeerSet peers = any_peer();
    if (peer != "any")
        peers.parts[0].networks =
            std::make_shared<const std::vector<Prefix>>(std::vector{parse_prefix(peer).value()});
    (direction == Direction::ingress ? made.from : made.to) = peers;
    made.services.ranges = {{.proto = IPPROTO_TCP, .low = port, .high = port}};
    return made;
}
Rule in(const std::string& peer, std::uint16_t port) {
    return rule("in", Direction::ingress, peer, port);
}
Rule out(const std::string& peer, std::uint16_t port) {
    return rule("out", Direction::egress, peer, port);
}

Policy policy(std::vector<Rule> rules) {
    Policy made;
    made.rules = std::move(rules);
    return made;
}

SocketInfo connection(const std::string& local, std::uint16_t local_port, const std::string& remote,
                      std::uint16_t remote_port) {
    SocketInfo made;
    made.proto = IPPROTO_TCP;
    made.local = address(local);
    made.local_port = local_port;
    made.remote = address(remote);
    made.remote_port = remote_port;
    made.state = TcpState::established;
    made.uid = 1001;
    made.cgroup = kRag;
    made.inode = 7;
    return made;
}

SocketInfo listener(const std::string& local, std::uint16_t port) {
    SocketInfo made =
        connection(local, port, local.find(':') == std::string::npos ? "0.0.0.0" : "::", 0);
    made.state = TcpState::listen;
    return made;
}

using Sockets = std::vector<SocketInfo>;

std::vector<RunningConnection> judged(const Policy& by, const Sockets& sockets) {
    const RunningWorld here = world();
    return judge_running(by, sockets, here);
}
std::vector<std::string> lines(const Policy& by, const Sockets& sockets) {
    std::vector<std::string> said;
    for (const RunningConnection& each : judged(by, sockets)) said.push_back(to_string(each, by));
    return said;
}
using Lines = std::vector<std::string>;
const Lines kNone;

} // namespace

TEST_CASE("what came in by a guarded interface is judged by ingress rules, in both families") {
    const Sockets v4 = {listener("10.0.1.5", 22), connection("10.0.1.5", 22, "10.0.0.5", 40000)};
    CHECK(lines(policy({}), v4) == Lines{"in tcp 10.0.0.5:40000 > 10.0.1.5:22 (no-rule)"});
    CHECK(lines(policy({in("10.0.0.0/24", 22)}), v4) == kNone);
    CHECK(lines(policy({in("10.0.0.0/24", 23)}), v4).size() == 1); // another port
    CHECK(lines(policy({in("10.0.2.0/24", 22)}), v4).size() == 1); // another peer
    CHECK(lines(policy({out("any", 40000)}), v4).size() == 1);     // the other direction
    const Sockets v6 = {listener("fd00:1::5", 22), connection("fd00:1::5", 22, "fd00:9::5", 40000)};
    CHECK(lines(policy({}), v6) == Lines{"in tcp [fd00:9::5]:40000 > [fd00:1::5]:22 (no-rule)"});
    CHECK(lines(policy({in("fd00:9::/64", 22)}), v6) == kNone);
    CHECK(lines(policy({in("fd00:8::/64", 22)}), v6).size() == 1);
}

TEST_CASE("what went out is judged by egress rules, in both families, and its owner is named") {
    const Sockets v4 = {connection("10.0.1.5", 50000, "198.51.100.9", 443)};
    CHECK(lines(policy({}), v4) == Lines{"out tcp 10.0.1.5:50000 > 198.51.100.9:443 "
                                         "uid 1001, /system.slice/rag.service (no-rule)"});
    CHECK(lines(policy({out("198.51.100.0/24", 443)}), v4) == kNone);
    CHECK(lines(policy({out("198.51.100.0/24", 444)}), v4).size() == 1);
    CHECK(lines(policy({in("any", 50000)}), v4).size() == 1);
    const Sockets v6 = {connection("fd00:1::5", 50000, "2001:db8::9", 443)};
    CHECK(judged(policy({}), v6).size() == 1);
    CHECK(lines(policy({out("2001:db8::/32", 443)}), v6) == kNone);
}

TEST_CASE("a deny rule is named, and metadata has its own reason") {
    Rule deny = out("any", 80);
    deny.deny = true;
    deny.name = "no-http";
    const Policy both = policy({out("any", 80), deny});
    const Sockets web = {connection("10.0.1.5", 50000, "198.51.100.9", 80)};
    REQUIRE(judged(both, web).size() == 1);
    CHECK(judged(both, web)[0].verdict == Verdict{.answer = Answer::denied, .rule = 1});
    CHECK(lines(both, web)[0].ends_with(" (denied by no-http)"));
    const Sockets metadata = {connection("10.0.1.5", 50000, "169.254.169.254", 80),
                              connection("fd00:1::5", 50000, "fd00:ec2::254", 80)};
    REQUIRE(lines(policy({}), metadata).size() == 2);
    for (const std::string& line : lines(policy({}), metadata))
        CHECK(line.ends_with(" (metadata)"));
}

TEST_CASE("a listener of all addresses holds its port for those of its family") {
    const Sockets both = {connection("10.0.1.5", 22, "10.0.0.5", 40000),
                          connection("fd00:1::5", 22, "fd00:9::5", 40000)};
    const auto directions = [&](SocketInfo by) {
        Sockets all = both;
        all.push_back(by);
        const auto refused = judged(policy({}), all);
        REQUIRE(refused.size() == 2);
        return std::pair(refused[0].direction, refused[1].direction);
    };
    using enum Direction;
    CHECK(directions(listener("0.0.0.0", 22)) == std::pair(ingress, egress));
    CHECK(directions(listener("::", 22)) == std::pair(ingress, ingress)); // serves IPv4 too
    SocketInfo v6_only = listener("::", 22);
    v6_only.is_ipv6_only = true;
    CHECK(directions(v6_only) == std::pair(egress, ingress));
    CHECK(directions(listener("10.0.1.5", 22)) == std::pair(ingress, egress));
    CHECK(directions(listener("10.0.1.6", 22)) == std::pair(egress, egress)); // another address
    CHECK(directions(listener("::", 23)) == std::pair(egress, egress));       // another port
    SocketInfo udp = listener("::", 22);
    udp.proto = IPPROTO_UDP;
    CHECK(directions(udp) == std::pair(egress, egress));
}

TEST_CASE("a listener that is bound to another interface does not hold the port") {
    SocketInfo bound = listener("0.0.0.0", 22);
    SocketInfo talk = connection("10.0.1.5", 22, "10.0.0.5", 40000);
    talk.ifindex = 2;
    bound.ifindex = 2;
    REQUIRE(judged(policy({}), {bound, talk}).size() == 1);
    CHECK(judged(policy({}), {bound, talk})[0].direction == Direction::ingress);
    bound.ifindex = 3;
    REQUIRE(judged(policy({}), {bound, talk}).size() == 1);
    CHECK(judged(policy({}), {bound, talk})[0].direction == Direction::egress);
}

TEST_CASE("half-open connections tell their direction themselves") {
    SocketInfo opening = connection("10.0.1.5", 22, "10.0.0.5", 40000);
    opening.state = TcpState::syn_sent;
    REQUIRE(judged(policy({}), {listener("::", 22), opening}).size() == 1);
    CHECK(judged(policy({}), {listener("::", 22), opening})[0].direction == Direction::egress);
    for (const TcpState state : {TcpState::syn_recv, TcpState::new_syn_recv}) {
        opening.state = state;
        REQUIRE(judged(policy({}), {opening}).size() == 1);
        CHECK(judged(policy({}), {opening})[0].direction == Direction::ingress);
    }
}

TEST_CASE(
    "what came in by an interface that is not guarded is let be, what went out there is not") {
    CHECK(lines(policy({}),
                {listener("::", 22), connection("172.17.0.1", 22, "172.17.0.9", 40000)}) == kNone);
    CHECK(lines(policy({}),
                {listener("::", 22), connection("fd00:2::1", 22, "fd00:2::9", 40000)}) == kNone);
    const Sockets away = {connection("172.17.0.1", 50000, "172.17.0.9", 443)};
    CHECK(judged(policy({}), away).size() == 1);
    CHECK(lines(policy({out("172.17.0.0/16", 443)}), away) == kNone);
}

TEST_CASE("loopback is never judged") {
    SocketInfo on_lo = connection("fe80::7", 50000, "fe80::8", 443);
    on_lo.ifindex = 1;
    CHECK(
        lines(policy({}),
              {on_lo, connection("127.0.0.1", 50000, "127.0.0.1", 443),
               connection("127.0.0.2", 50000, "127.9.9.9", 443),
               connection("::1", 50000, "::1", 443), connection("10.0.1.5", 50000, "10.0.1.5", 443),
               connection("10.0.1.5", 50000, "172.17.0.1", 443), // an own address
               connection("10.0.9.9", 50000, "10.0.9.9", 443),   // one that was taken away
               connection("fd00:1::5", 50000, "fd00:2::1", 443)}) == kNone);
    CHECK(judged(policy({}), {connection("10.0.1.5", 50000, "128.0.0.1", 443),
                              connection("fd00:1::5", 50000, "::2", 443)})
              .size() == 2);
}

TEST_CASE("a link-local address of ours on one link may be another's on the next") {
    SocketInfo talk = connection("fe80::5", 50000, "fe80::1", 443);
    talk.ifindex = 2; // fe80::1 is docker0's
    REQUIRE(judged(policy({}), {talk}).size() == 1);
    CHECK(judged(policy({}), {talk})[0].interface == "eth0");
    talk.remote = address("fe80::5");
    CHECK(lines(policy({}), {talk}) == kNone);
}

TEST_CASE("what listens, has ended or is no TCP is not judged") {
    SocketInfo each = connection("10.0.1.5", 50000, "198.51.100.9", 443);
    for (const TcpState state : {TcpState::listen, TcpState::close, TcpState::time_wait}) {
        each.state = state;
        CHECK(lines(policy({}), {each}) == kNone);
    }
    for (const TcpState state : {TcpState::established, TcpState::fin_wait1, TcpState::fin_wait2,
                                 TcpState::close_wait, TcpState::last_ack, TcpState::closing}) {
        each.state = state;
        CHECK(judged(policy({}), {each}).size() == 1);
    }
    each.state = TcpState::fin_wait2; // a time-wait entry, by all it lacks
    each.inode = 0;
    each.cgroup = 0;
    each.uid = 0;
    CHECK(lines(policy({}), {each}) == kNone);
    SocketInfo udp = connection("10.0.1.5", 50000, "198.51.100.9", 443);
    udp.proto = IPPROTO_UDP;
    CHECK(lines(policy({}), {udp}) == kNone);
}

TEST_CASE("only what runs below the host's cgroup is judged for egress, and all for ingress") {
    Policy below = policy({});
    below.host.cgroup = "/system.slice";
    SocketInfo talk = connection("10.0.1.5", 50000, "198.51.100.9", 443);
    CHECK(judged(below, {talk}).size() == 1);
    talk.cgroup = kOllama;
    CHECK(lines(below, {talk}) == kNone);
    CHECK(judged(below, {talk, listener("::", 50000)}).size() == 1); // came in, then
    talk.cgroup = kGone;                                             // it may have been anywhere
    CHECK(lines(below, {talk}) == kNone);
    CHECK(judged(policy({}), {talk}).size() == 1); // but surely below the root
    talk.cgroup = kRag;
    below.host.cgroup = "/system.slice/rag"; // a name is not a beginning of a name
    CHECK(lines(below, {talk}) == kNone);
    below.host.cgroup = "/system.slice/rag.service";
    CHECK(judged(below, {talk}).size() == 1);
}

TEST_CASE("rules by unit, cgroup and user look at the socket's own") {
    Rule by_unit = out("any", 443);
    by_unit.identity.unit = "rag.service";
    Rule by_cgroup = out("any", 443);
    by_cgroup.identity.cgroup = "/machine.slice";
    Rule by_user = out("any", 443);
    by_user.identity.user = 1001;
    SocketInfo rag = connection("10.0.1.5", 50000, "198.51.100.9", 443);
    SocketInfo ollama = rag;
    ollama.cgroup = kOllama;
    ollama.uid = 0;
    ollama.local_port = 50001;
    for (const Rule& rag_only : {by_unit, by_user}) {
        REQUIRE(judged(policy({rag_only}), {rag, ollama}).size() == 1);
        CHECK(judged(policy({rag_only}), {rag, ollama})[0].socket == ollama);
    }
    REQUIRE(judged(policy({by_cgroup}), {rag, ollama}).size() == 1);
    CHECK(judged(policy({by_cgroup}), {rag, ollama})[0].socket == rag);
}

TEST_CASE("an owner that is not known is not taken for another") {
    Rule by_unit = out("any", 443);
    by_unit.identity.unit = "rag.service";
    Rule by_user = out("any", 443);
    by_user.identity.user = 1001;
    SocketInfo closed = connection("10.0.1.5", 50000, "198.51.100.9", 443);
    closed.state = TcpState::fin_wait1; // its process has closed it
    closed.inode = 0;
    closed.uid = 0;
    CHECK(lines(policy({by_user}), {closed}) == kNone);
    REQUIRE(lines(policy({}), {closed}).size() == 1); // nobody may
    CHECK(judged(policy({}), {closed})[0].who == "/system.slice/rag.service");
    closed.cgroup = kGone;
    CHECK(lines(policy({by_unit}), {closed}) == kNone);
    CHECK(judged(policy({}), {closed})[0].who.empty());
}

TEST_CASE("rules for an interface look at the one that holds the local address") {
    Rule on_eth0 = out("any", 443);
    on_eth0.interfaces = {"eth*"};
    CHECK(lines(policy({on_eth0}), {connection("10.0.1.5", 50000, "198.51.100.9", 443)}) == kNone);
    const auto refused =
        judged(policy({on_eth0}), {connection("172.17.0.1", 50000, "198.51.100.9", 443)});
    REQUIRE(refused.size() == 1);
    CHECK(refused[0].interface == "docker0");
}

TEST_CASE("a local address that no link holds may be used on any") {
    Rule on_eth0 = out("any", 443);
    on_eth0.interfaces = {"eth0"};
    for (const char* local : {"10.5.5.5", "10.0.9.9"}) { // the loopback device's, and nobody's
        const Sockets away = {connection(local, 50000, "198.51.100.9", 443)};
        CHECK(lines(policy({on_eth0}), away) == kNone);
        REQUIRE(judged(policy({}), away).size() == 1);
        CHECK(judged(policy({}), away)[0].interface.empty());
        // It may have come in by docker0, which is not guarded.
        CHECK(lines(policy({}), {listener("::", 50000), away[0]}) == kNone);
    }
}

TEST_CASE("what is refused keeps its order, and without sockets there is nothing") {
    CHECK(judged(policy({}), {}).empty());
    const Sockets three = {connection("10.0.1.5", 50002, "198.51.100.9", 443),
                           connection("10.0.1.5", 50001, "198.51.100.9", 80),
                           connection("10.0.1.5", 50003, "198.51.100.9", 443)};
    const auto refused = judged(policy({out("any", 80)}), three);
    REQUIRE(refused.size() == 2);
    CHECK(refused[0].socket == three[0]);
    CHECK(refused[1].socket == three[2]);
}
