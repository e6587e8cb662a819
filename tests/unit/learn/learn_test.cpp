// SPDX-License-Identifier: Apache-2.0
// What was seen into rules: each rule lets in what it says, and nothing hostile gets through.
#include "unit/learn/learned.h"

using namespace sallyport;
using namespace sallyport::learn;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a client of what is served is let in; of what is not, it is a probe") {
    for (const std::string source : {"10.0.0.7", "fd00:10::7"}) {
        const Learned result =
            learned_of({coming(source, 8080), coming(source, 23)}, {serving(8080)});
        CHECK(result.only().from == Texts{source});
        CHECK(result.only().service.port == 8080);
        CHECK(result.only().interfaces == Texts{"eth0"});
        CHECK(result.findings.left_for(Why::closed_port) == 1);
        CHECK_THAT(result.text, ContainsSubstring("tcp 23 from " + source));
    }
}

TEST_CASE("a listener of one address, or of one family, serves no other") {
    Served there = serving(8080);
    there.at = address("10.0.1.6");
    CHECK(learned_of({coming("10.0.0.7", 8080)}, {there}).findings.rules.empty());
    there.at = address("10.0.1.5");
    CHECK(learned_of({coming("10.0.0.7", 8080)}, {there}).findings.rules.size() == 1);
    Served only4 = serving(8080);
    only4.v6 = false;
    CHECK(learned_of({coming("fd00:10::7", 8080)}, {only4}).findings.rules.empty());
}

TEST_CASE("sources of a zone are the zone, the closest one, unless a wider is needed anyway") {
    const std::string zones = "[zones]\nadmin = [\"10.0.0.0/24\"]\nlan = [\"10.0.0.0/16\", "
                              "\"fd00:10::/32\"]\nworld = [\"0.0.0.0/0\"]\n";
    const std::vector<Served> served{serving(8080)};
    CHECK(learned_of({coming("10.0.0.7", 8080)}, served, zones).only().from == Texts{"admin"});
    CHECK(learned_of({coming("10.0.0.7", 8080), coming("10.0.9.9", 8080)}, served, zones)
              .only()
              .from == Texts{"lan"});
    CHECK(learned_of({coming("fd00:10::7", 8080)}, served, zones).only().from == Texts{"lan"});
    // A zone of the whole world is nobody's name.
    CHECK(learned_of({coming("10.9.9.9", 8080)}, served, zones).only().from == Texts{"10.9.9.9"});
}

TEST_CASE("three of a /24 or a /64 are that network, two are not") {
    const std::vector<Served> served{serving(8080)};
    CHECK(learned_of({coming("10.7.0.1", 8080), coming("10.7.0.2", 8080)}, served).only().from ==
          Texts{"10.7.0.1", "10.7.0.2"});
    CHECK(learned_of({coming("10.7.0.1", 8080), coming("10.7.0.2", 8080), coming("10.7.0.3", 8080)},
                     served)
              .only()
              .from == Texts{"10.7.0.0/24"});
    CHECK(learned_of({coming("fd00::1", 8080), coming("fd00::2", 8080), coming("fd00::3", 8080)},
                     served)
              .only()
              .from == Texts{"fd00::/64"});
}

TEST_CASE("too many networks inside grow, and say so; those of the internet never become all") {
    std::vector<Event> inside, outside;
    for (int i = 0; i < 40; ++i) {
        inside.push_back(coming("10.7." + std::to_string(i) + ".1", 8080));
        outside.push_back(coming("198." + std::to_string(i) + ".0.1", 8080, 5));
    }
    const Learned wide = learned_of(inside, {serving(8080)});
    CHECK(wide.only().from == Texts{"10.7.0.0/16"});
    CHECK_THAT(wide.text, ContainsSubstring("ATTENTION: 10.7.0.0/16 is wider"));
    const Learned strange = learned_of(outside, {serving(8080)});
    CHECK(strange.only().from.size() == 16);
    CHECK(strange.findings.left_for(Why::too_many) == 24);
    CHECK_THAT(strange.text, !ContainsSubstring("\"any\"") && !ContainsSubstring("0.0.0.0/0"));
    // But where the catalogue has a service for all, loudly.
    const Learned open = learned_of(outside, {serving(8080, Circle::everybody)});
    CHECK(open.only().from == Texts{"any"});
    CHECK_THAT(open.text, ContainsSubstring("ATTENTION: OPEN TO EVERYBODY"));
}

TEST_CASE("a source of the internet is left out when it comes once, or the service is for inside") {
    CHECK(learned_of({coming("203.0.113.9", 8080)}, {serving(8080)})
              .findings.left_for(Why::one_off) == 1);
    CHECK(learned_of({coming("203.0.113.9", 8080, 9)}, {serving(8080)}).only().from ==
          Texts{"203.0.113.9"});
    CHECK(learned_of({coming("2001:db8::9", 8080, 9)}, {serving(8080, Circle::inside)})
              .findings.left_for(Why::stranger) == 1);
    // A network of those who came once each neither.
    CHECK(learned_of({coming("203.0.113.7", 8080), coming("203.0.113.8", 8080),
                      coming("203.0.113.9", 8080)},
                     {serving(8080)})
              .findings.rules.empty());
    // The operator's own session is no stranger.
    LearnOptions options;
    options.session = {address("203.0.113.9")};
    CHECK(learned_of({coming("203.0.113.9", 22)}, {serving(22, Circle::inside)}, "", options)
              .only()
              .from == Texts{"203.0.113.9"});
}

TEST_CASE("who touches many ports is a scanner, also where somebody listens") {
    std::vector<Event> events{coming("10.0.0.7", 8080, 50), coming("10.0.0.8", 8080, 50)};
    for (std::uint16_t port = 1; port <= 4; ++port) events.push_back(coming("10.0.0.7", port));
    CHECK(learned_of(events, {serving(8080)}).only().from == Texts{"10.0.0.7", "10.0.0.8"});
    events.push_back(coming("10.0.0.7", 5));
    const Learned result = learned_of(events, {serving(8080)});
    CHECK(result.only().from == Texts{"10.0.0.8"});
    CHECK(result.findings.left_for(Why::scanner) == 1);
}

TEST_CASE("the way out is learned by unit, else by user; what was opened once is not") {
    for (const std::string to : {"10.0.2.10", "fd00:2::10"}) {
        const Learned result = learned_of({going(to, 5432), going(to, 5433, 1)});
        CHECK(result.only().to == Texts{to});
        CHECK(result.only().service.unit == "rag.service");
        CHECK(result.findings.left_for(Why::one_off) == 1);
    }
    const LearnedRule by_user = learned_of({going("10.0.2.10", 5432, 2, "session-4.scope")}).only();
    CHECK(by_user.service.unit.empty());
    CHECK(by_user.service.user == 1001U);
    LearnOptions once;
    once.least = 1;
    CHECK(learned_of({going("10.0.2.10", 5433, 1)}, {}, "", once).only().openings == 1);
}

TEST_CASE("a connection that connect, cgroup and NIC tell of is one, of the process") {
    Event connect = going("10.0.2.10", 5432, 1);
    connect.hook = SP_HOOK_CONNECT;
    const Event packet = going("10.0.2.10", 5432, 1);
    Event nic = event(Direction::egress, "10.0.1.5", "10.0.2.10", 5432);
    nic.hook = SP_HOOK_TC;
    Event segment = packet; // of what would have been cut
    segment.reason = SP_REASON_CUT;
    segment.tcp_flags = 0x10;
    segment.repeats = 70;
    const Learned once = learned_of({connect, packet, nic, segment});
    CHECK(once.findings.rules.empty());
    CHECK(once.findings.left_for(Why::one_off) == 1);
    const Learned twice = learned_of({connect, packet, nic, segment, connect, packet, nic});
    CHECK(twice.only().openings == 2);
    CHECK(twice.only().service.has_owner());
    // What only the NIC saw has no process, and the rule says so.
    const Learned alone = learned_of({nic, nic});
    CHECK(!alone.only().service.has_owner());
    CHECK_THAT(alone.text, ContainsSubstring("ATTENTION: the process is not known"));
}

TEST_CASE("what was open before the learning is learned, in the direction that it was opened") {
    Event segment = going("10.0.2.10", 5432, 9);
    segment.reason = SP_REASON_CUT;
    segment.tcp_flags = 0x10;
    CHECK(learned_of({segment}).only().to == Texts{"10.0.2.10"});
    // Of a client's connection, as the host's answer shows it.
    Event answer = event(Direction::ingress, "10.0.1.5", "10.0.0.7", 50000);
    answer.src_port = 8080;
    answer.hook = SP_HOOK_CGROUP;
    answer.reason = SP_REASON_CUT;
    answer.tcp_flags = 0x10;
    const Learned result = learned_of({answer}, {serving(8080)});
    CHECK(result.only().from == Texts{"10.0.0.7"});
    CHECK(result.only().service.port == 8080);
}

TEST_CASE("answers of UDP and ICMP are no openings") {
    const Event asked = event(Direction::egress, "10.0.1.5", "10.0.2.53", 53, kUdp);
    Event answer = event(Direction::ingress, "10.0.2.53", "10.0.1.5", 40000, kUdp);
    answer.src_port = 53;
    Event pong = event(Direction::ingress, "10.0.2.53", "10.0.1.5", 0, 1);
    pong.src_port = pong.dst_port = std::nullopt;
    pong.icmp_type = pong.icmp_code = 0;
    const Learned result = learned_of({asked, asked, answer, pong}, {serving(40000)});
    CHECK(result.only().service.direction == Direction::egress);
    CHECK(result.findings.left.empty());
    // Without the question it is none.
    CHECK(learned_of({answer}, {serving(40000, Circle::unknown, kUdp)}).only().service.direction ==
          Direction::ingress);
}

TEST_CASE("protocols without ports, echo and other ICMP have rules of their own") {
    Event gre = event(Direction::ingress, "10.0.0.7", "10.0.1.5", 0, 47);
    gre.src_port = gre.dst_port = std::nullopt;
    Event echo4 = event(Direction::ingress, "10.0.0.7", "10.0.1.5", 0, 1);
    echo4.src_port = echo4.dst_port = std::nullopt;
    echo4.icmp_type = 8;
    Event echo6 = event(Direction::ingress, "fd00:10::7", "fd00:10::5", 0, 58);
    echo6.src_port = echo6.dst_port = std::nullopt;
    echo6.icmp_type = 128;
    Event stamp = echo4;
    stamp.icmp_type = 13;
    CHECK(learned_of({gre, echo4, echo6, stamp}).findings.rules.size() == 4);
}

TEST_CASE("what is routed is learned between both its ends") {
    const auto routed = [](const std::string& from, const std::string& to) {
        return event(Direction::forward, from, to, 8080);
    };
    const std::string zones = "[zones]\nai = [\"10.0.1.0/24\"]\n";
    const Learned result =
        learned_of({routed("10.0.0.100", "10.0.1.9"), routed("10.0.0.100", "10.0.1.9"),
                    routed("10.0.0.100", "10.9.9.9")},
                   {}, zones);
    CHECK(result.only().from == Texts{"10.0.0.100"});
    CHECK(result.only().to == Texts{"ai"});
    CHECK(result.findings.left_for(Why::one_off) == 1);
}

TEST_CASE("what no allow rule mends is told, not learned") {
    std::vector<Event> events;
    for (const std::uint8_t reason :
         {SP_REASON_BANNED, SP_REASON_TCP_FLAGS, SP_REASON_MALFORMED, SP_REASON_DENIED,
          SP_REASON_METADATA, SP_REASON_OVER_LIMIT, SP_REASON_NO_FLOW}) {
        events.push_back(coming("10.0.0.7", 8080, 100));
        events.back().reason = reason;
    }
    events.push_back(coming("10.0.0.7", 8080, 100));
    events.back().kind = EventKind::drop;
    const Learned result = learned_of(events, {serving(8080)});
    CHECK(result.findings.rules.empty());
    CHECK(result.findings.left_for(Why::other_reason) == 7);
}

TEST_CASE("a hostile name stays in its string and its comment") {
    const std::string evil =
        "x\"\n[[ingress]]\nname = \"own\"\nfrom = \"any\"\nproto = \"any\"\n#\xff"
        "\xe2\x80\xae";
    Event one = going("10.0.2.10", 5432, 2, evil + ".service");
    one.comm = evil;
    Served served = serving(8080);
    served.name = evil;
    Event in = coming("10.0.0.7", 8080);
    in.iface = "eth0\"]\n";
    Event banned = coming("10.0.0.8", 8080);
    banned.reason = SP_REASON_DENIED;
    banned.rule = evil;
    // As the reader of a line has it, too.
    const Learned result = learned_of({one, in, banned}, {served});
    CHECK(result.findings.rules.size() == 2);
    CHECK_THAT(result.text, !ContainsSubstring("\n[[ingress]]\nname = \"own\""));
    for (const LearnedRule& rule : result.findings.rules) {
        CHECK(rule.service.unit.empty());
        CHECK(rule.interfaces.empty());
    }
}

TEST_CASE("losses, gaps and restarts of the stream are said, and nothing else is") {
    Seen seen;
    Event one = coming("10.0.0.7", 8080);
    one.seq = 5;
    seen.add(one);
    one.seq = 6;
    seen.add(one);
    CHECK(seen.losses().empty());
    one.seq = 9;
    seen.add(one);
    CHECK(seen.losses() == Texts{"2 lines of the stream are missing"});
    one.seq = 1;
    seen.add(one);
    CHECK(seen.losses().size() == 2);
    Event lost;
    lost.kind = EventKind::lost;
    lost.count = 40;
    seen.add(lost);
    seen.add_unreadable();
    CHECK(seen.losses().size() == 4);
    CHECK_THAT(learned(seen).text, ContainsSubstring("# NOT WHOLE: 40 events were lost"));
}

TEST_CASE("a flood finds its bounds, is counted, and does not hide a service beside it") {
    Seen seen(Bounds{.peers = 500,
                     .peers_each = 100,
                     .services = 50,
                     .closed_ports = 10,
                     .touching = 50,
                     .refused = 5});
    seen.serve({serving(8080), serving(9090)});
    for (std::uint32_t i = 0; i < 20000; ++i) {
        Event one = coming("10.0.0.7", i % 2 == 0 ? 8080 : static_cast<std::uint16_t>(i % 9000));
        one.src = Address::v4(0xc6000000 + i);
        seen.add(one);
    }
    seen.add(coming("10.0.0.7", 9090));
    const Learned result = learned(seen);
    CHECK(result.only().service.port == 9090);
    CHECK(result.findings.left_for(Why::no_room) == 2);
    CHECK(result.findings.left_for(Why::closed_port) == 10);
    CHECK(seen.crowds().begin()->second.events == 9900);
    CHECK(result.text.size() < 64000);
}

TEST_CASE("a name that the policy has already is not taken again") {
    const std::string rules = "[[ingress]]\nname = \"learned-service-tcp-8080\"\n"
                              "from = [\"10.3.0.0/16\"]\nproto = \"tcp\"\nports = [8080]\n";
    CHECK(learned_of({coming("10.0.0.7", 8080)}, {serving(8080)}, rules).only().name ==
          "learned-service-tcp-8080-2");
}

TEST_CASE("rules that differ in their port alone are one, with what was seen of each port") {
    const auto at = [](Event one, int seconds) {
        one.at += std::chrono::seconds{seconds};
        return one;
    };
    const Learned result = learned_of({at(going("10.0.2.10", 5433), 5), going("10.0.2.10", 5432, 3),
                                       at(going("10.0.2.10", 5432), 60)});
    CHECK_THAT(result.text, ContainsSubstring("ports = [5432, 5433]\nunit = \"rag.service\"\n"));
    CHECK_THAT(result.text, ContainsSubstring("# tcp 5432 by rag.service: opened 5 times, first "
                                              "2026-01-02T03:04:05Z, last 2026-01-02T03:05:05Z\n"
                                              "# tcp 5433 by rag.service: opened 2 times, first "
                                              "2026-01-02T03:04:10Z, last 2026-01-02T03:04:10Z\n"));
    CHECK(result.only().openings == 7);
    const auto rule = to_json(result.findings, {})["rules"][0];
    CHECK(rule["ports"] == nlohmann::json({5432, 5433}));
    CHECK(rule["port"] == 5432);
    CHECK(rule["first"] == "2026-01-02T03:04:05Z");
    CHECK(rule["last"] == "2026-01-02T03:05:05Z");
}

TEST_CASE("rules that differ in more than their port stay apart") {
    CHECK(learned_of({going("10.0.2.10", 5432), going("10.0.2.11", 5433)}).findings.rules.size() ==
          2);
    CHECK(learned_of({going("10.0.2.10", 5432), going("10.0.2.10", 5433, 2, "web.service")})
              .findings.rules.size() == 2);
    CHECK(learned_of({coming("10.0.0.7", 8080), coming("10.0.0.8", 8081)},
                     {serving(8080), serving(8081)})
              .findings.rules.size() == 2);
    Served other = serving(22);
    other.name = "ssh";
    CHECK(learned_of({coming("10.0.0.7", 8080), coming("10.0.0.7", 22)}, {serving(8080), other})
              .findings.rules.size() == 2);
    Event datagram = going("10.0.2.10", 5433);
    datagram.proto = kUdp;
    CHECK(learned_of({going("10.0.2.10", 5432), datagram}).findings.rules.size() == 2);
}
