// SPDX-License-Identifier: Apache-2.0
// [host], [exfil], [essentials], [flows], [events], schema, and the file as a whole.
#include "base/sha256.h"
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

namespace {
ParsedPolicy whole(const std::string& text) {
    return parse_policy(text, "p.toml", World{}.view());
}
Host host(const std::string& keys) {
    ParsedPolicy result = whole("schema = 1\n[host]\ninterfaces = [\"eth0\"]\n" + keys);
    REQUIRE(result.policy);
    return result.policy->host;
}
Lines wrong(const std::string& text) {
    const ParsedPolicy result = parsed(text);
    CHECK_FALSE(result.policy);
    return findings(result);
}
} // namespace

TEST_CASE("the schema must be there and be known") {
    CHECK(findings(whole("[host]\ninterfaces = [\"eth0\"]\n")) ==
          Lines{"1:1: the policy needs \"schema\""});
    CHECK(findings(whole("schema = 2\n[host]\ninterfaces = [\"eth0\"]\n")) ==
          Lines{"1:10: schema 2 is not known to this version"});
    CHECK(findings(whole("schema = \"1\"\n[host]\ninterfaces = [\"eth0\"]\n")) ==
          Lines{"1:10: \"schema\" must be a number, not a string"});
    CHECK(whole("schema = 1\n[host]\ninterfaces = [\"eth0\"]\n").policy);
}

TEST_CASE("an empty file is not a policy") {
    const ParsedPolicy result = whole("");
    CHECK_FALSE(result.policy);
    CHECK(findings(result) == Lines{"1:1: the policy needs \"schema\"",
                                    "1:1: the policy needs [host] with \"interfaces\""});
}

TEST_CASE("the digest is that of the file, byte order mark and errors included") {
    for (const std::string text : {"", "schema = 1\n", "\xef\xbb\xbfschema = 1\n", "]["})
        CHECK(whole(text).sha256 == sha256_hex(text));
}

TEST_CASE("a byte order mark and Windows line ends are read over") {
    const ParsedPolicy result =
        whole("\xef\xbb\xbfschema = 1\r\n[host]\r\ninterfaces = [\"eth0\"]\r\nmood = 1\r\n");
    CHECK(findings(result) == Lines{"4:1: unknown key \"mood\" in [host]"});
    CHECK(result.diagnostics.at(0).source == "mood = 1");
    CHECK(whole("\xef\xbb\xbfschema = 1\r\n[host]\r\ninterfaces = [\"eth0\"]\r\n").policy);
}

TEST_CASE("a host guards its interfaces, enforces and reports by default") {
    const Host plain = host("");
    CHECK(plain.interfaces == Lines{"eth0"});
    CHECK(plain.mode == Mode::enforce);
    CHECK(plain.xdp == XdpMode::automatic);
    CHECK(plain.cgroup == "/");
    CHECK(plain.packet_sockets == PacketSockets::report);
    CHECK(plain.packet_socket_users.empty());
    CHECK(plain.sysctls == Sysctls::check);
}

TEST_CASE("a host's keys are read") {
    const Host set = host("mode = \"observe\"\nxdp = \"generic\"\ncgroup = "
                          "\"/machine.slice\"\npacket-sockets = \"allow\"\n"
                          "packet-socket-users = []\nsysctls = \"check\"\n");
    CHECK(set.mode == Mode::observe);
    CHECK(set.xdp == XdpMode::generic);
    CHECK(set.cgroup == "/machine.slice");
    CHECK(set.packet_sockets == PacketSockets::allow);
    CHECK(host("xdp = \"native\"\n").xdp == XdpMode::native);
    CHECK(host("xdp = \"auto\"\n").xdp == XdpMode::automatic);
    CHECK(host("mode = \"enforce\"\npacket-sockets = \"report\"\n").mode == Mode::enforce);
}

TEST_CASE("a host's errors are all found") {
    CHECK(wrong("mode = \"observ\"\nxdp = \"skb\"\ncgroup = \"x\"\npacket-sockets = \"deny\"\n"
                "packet-socket-users = [\"a.service\"]\nsysctls = \"set\"\nfoo = 1\n") ==
          Lines{"4:8: \"mode\" must be \"enforce\" or \"observe\", not \"observ\"",
                "5:7: \"xdp\" must be \"auto\", \"native\" or \"generic\", not \"skb\"",
                "6:10: a cgroup path must begin with \"/\"",
                "10:1: unknown key \"foo\" in [host]"});
}

TEST_CASE("packet sockets are denied, but not to the cgroups that are named") {
    const Host set = host("packet-sockets = \"deny\"\npacket-socket-users = "
                          "[\"system.slice/dhcp.service\", \"/a\"]\n");
    CHECK(set.packet_sockets == PacketSockets::deny);
    CHECK(set.packet_socket_users == Lines{"/system.slice/dhcp.service", "/a"});
    CHECK(host("packet-sockets = \"deny\"\n").packet_socket_users.empty());
}

TEST_CASE("who may have packet sockets is checked") {
    CHECK(wrong("packet-sockets = \"deny\"\npacket-socket-users = [\"/\", \"\", \"a//b\", "
                "\"a/../b\", 7]\n") ==
          Lines{"5:24: \"/\" would spare every process",
                "5:29: a cgroup path must begin with \"/\"",
                "5:33: a cgroup path has an empty part",
                "5:41: a cgroup path must not hold \".\" or \"..\"",
                "5:51: \"packet-socket-users\" is a list of strings, and this is a number"});
    CHECK(wrong("packet-socket-users = \"a\"\n") ==
          Lines{"4:23: \"packet-socket-users\" must be a list, not a string"});
    const ParsedPolicy idle =
        whole("schema = 1\n[host]\ninterfaces = [\"eth0\"]\npacket-socket-users = [\"a\"]\n");
    CHECK(idle.policy);
    CHECK(findings(idle) ==
          Lines{"w4:23: \"packet-socket-users\" spares nobody: nothing is denied"});
}

TEST_CASE("there must be something to guard") {
    CHECK(findings(whole("schema = 1\n")) ==
          Lines{"1:1: the policy needs [host] with \"interfaces\""});
    CHECK(findings(whole("schema = 1\n[host]\n")) == Lines{"2:1: [host] needs \"interfaces\""});
    CHECK(findings(whole("schema = 1\nhost = 1\n")) ==
          Lines{"2:8: \"host\" must be a table, not a number"});
    CHECK(findings(whole("schema = 1\n[host]\ninterfaces = []\n")) ==
          Lines{"3:14: \"interfaces\" must not be empty"});
}

TEST_CASE("names and globs of interfaces are checked") {
    const auto interfaces = [](const std::string& list) {
        return findings(whole("schema = 1\n[host]\ninterfaces = " + list + "\n"));
    };
    CHECK(interfaces("[\"eth0\", \"en*\", \"wl[a-z]?\", \"*\", \"fifteen-bytes-x\", \"a\\\\[b\", "
                     "\"eth[[:digit:]]\"]")
              .empty());
    CHECK(interfaces("[\"lo\"]") == Lines{"3:15: \"lo\" is loopback, which is never judged"});
    CHECK(
        interfaces("[\"sixteen-bytes-xx\"]") ==
        Lines{"3:15: \"sixteen-bytes-xx\" is longer than the 15 bytes an interface name can have"});
    CHECK(interfaces("[\"sixteen-bytes-x?*\"]").size() == 1);
    CHECK(interfaces("[\"eth0\", \"eth0\"]") == Lines{"3:23: \"eth0\" is there twice"});
    for (const char* bad :
         {"", "eth[0", "eth[", "eth[!]", "a/b", "a b", "a:b", ".", "..", "a\\\\", "a\\u0007"}) {
        INFO(bad);
        CHECK(interfaces("[\"" + std::string(bad) + "\"]").size() == 1);
    }
    CHECK(interfaces("[1]") ==
          Lines{"3:15: \"interfaces\" is a list of strings, and this is a number"});
    CHECK(interfaces("\"eth0\"") == Lines{"3:14: \"interfaces\" must be a list, not a string"});
}

TEST_CASE("inside is the private networks unless the policy says otherwise") {
    CHECK(text_of(good("").exfil_inside) ==
          "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fc00::/7");
    CHECK(text_of(good("[exfil]\n").exfil_inside) == text_of(good("").exfil_inside));
    CHECK(text_of(
              good("[zones]\nhq = [\"192.0.2.0/24\"]\n[exfil]\ninside = [\"hq\", \"10.0.0.0/8\"]\n")
                  .exfil_inside) == "192.0.2.0/24 10.0.0.0/8");
    CHECK(text_of(good("[exfil]\ninside = []\n").exfil_inside).empty());
    CHECK(
        wrong("[exfil]\ninside = [\"10.0.0.1/8\"]\noutside = 1\n") ==
        Lines{"5:11: \"10.0.0.1/8\" has host bits set", "6:1: unknown key \"outside\" in [exfil]"});
}

TEST_CASE("the essentials have the defaults of the manual") {
    const Essentials plain = good("").essentials;
    CHECK(plain.arp);
    CHECK(plain.neighbour_discovery);
    CHECK(plain.dhcp_client);
    CHECK(plain.icmp_errors);
    CHECK(text_of(plain.ping) == "0.0.0.0/0,::/0");
    CHECK(text_of(plain.routers) == "0.0.0.0/0,::/0");
    CHECK_FALSE(plain.judge_ip_options);
    CHECK_FALSE(plain.redirects);
    CHECK(plain.link_protocols == LinkProtocols{});
}

TEST_CASE("the essentials can each be set") {
    const Essentials set =
        good("[essentials]\narp = false\nneighbour-discovery = false\ndhcp-client = "
             "false\nicmp-errors = false\n"
             "ping = \"none\"\nfragments = \"track\"\nip-options = \"judge\"\nredirects = true\n")
            .essentials;
    CHECK_FALSE(set.arp);
    CHECK_FALSE(set.neighbour_discovery);
    CHECK_FALSE(set.dhcp_client);
    CHECK_FALSE(set.icmp_errors);
    CHECK(set.ping.parts.empty());
    CHECK(set.judge_ip_options);
    CHECK(set.redirects);
    CHECK(set.track_fragments);
    CHECK(text_of(good("[essentials]\nping = [\"10.0.0.1\"]\n").essentials.ping) == "10.0.0.1");
    CHECK(text_of(good("[essentials]\nrouters = [\"fe80::1\"]\n").essentials.routers) == "fe80::1");
    CHECK(good("[essentials]\nrouters = \"none\"\n").essentials.routers.parts.empty());
    CHECK_FALSE(good("[essentials]\nip-options = \"drop\"\n").essentials.judge_ip_options);
    CHECK_FALSE(good("[essentials]\nfragments = \"drop\"\n").essentials.track_fragments);
    CHECK_FALSE(good("").essentials.track_fragments);
}

TEST_CASE("link protocols pass one by one, by their names") {
    const auto named = [](const std::string& list) {
        return good("[essentials]\nlink-protocols = " + list + "\n").essentials.link_protocols;
    };
    CHECK(named("[]") == LinkProtocols{});
    CHECK(named("[\"lldp\"]") == LinkProtocols{.lldp = true});
    CHECK(named("[\"eapol\"]") == LinkProtocols{.eapol = true});
    CHECK(named("[\"lacp\"]") == LinkProtocols{.lacp = true});
    CHECK(named("[\"ptp\"]") == LinkProtocols{.ptp = true});
    CHECK(named("[\"stp\"]") == LinkProtocols{.stp = true});
    CHECK(named("[\"lldp\", \"eapol\", \"lacp\", \"ptp\", \"stp\"]") ==
          LinkProtocols{.lldp = true, .eapol = true, .lacp = true, .ptp = true, .stp = true});
}

TEST_CASE("a link protocol that is unknown, there twice or no text is an error") {
    const auto said = [](const std::string& list) {
        return wrong("[essentials]\nlink-protocols = " + list + "\n");
    };
    CHECK(said("[\"lacpd\"]") == Lines{"5:19: unknown link protocol \"lacpd\""});
    CHECK(said("[\"cdp\"]") == Lines{"5:19: unknown link protocol \"cdp\""});
    CHECK(said("[\"ptp\", \"ptp\"]") == Lines{"5:26: \"ptp\" is there twice"});
    CHECK(said("\"lldp\"") == Lines{"5:18: \"link-protocols\" must be a list, not a string"});
    CHECK(said("[88]") ==
          Lines{"5:19: \"link-protocols\" is a list of strings, and this is a number"});
}

TEST_CASE("errors in the essentials are found") {
    CHECK(wrong("[essentials]\narp = \"yes\"\nping = \"adn\"\nfragments = true\nip-options = "
                "\"pass\"\nneighbor-discovery = true\n") ==
          Lines{"5:7: \"arp\" must be true or false, not a string", "6:8: unknown zone \"adn\"",
                "7:13: \"fragments\" must be a string, not true or false",
                "8:14: \"ip-options\" must be \"drop\" or \"judge\", not \"pass\"",
                "9:1: unknown key \"neighbor-discovery\" in [essentials]"});
    CHECK(wrong("[essentials]\nfragments = \"pass\"\n") ==
          Lines{"5:13: \"fragments\" must be \"drop\" or \"track\", not \"pass\""});
}

TEST_CASE("flows have a size and two lives, within bounds") {
    CHECK(good("").flows.max == 262144);
    CHECK(good("").flows.tcp_idle == seconds(7200));
    CHECK(good("").flows.udp_idle == seconds(60));
    const Flows set = good("[flows]\nmax = 8\ntcp-idle = \"1s\"\nudp-idle = \"30d\"\n").flows;
    CHECK(set.max == 8);
    CHECK(set.tcp_idle == seconds(1));
    CHECK(set.udp_idle == seconds(30 * 86400));
    CHECK(good("[flows]\nmax = 16777216\n").flows.max == 16777216);
    CHECK(wrong("[flows]\nmax = 7\ntcp-idle = \"0s\"\nudp-idle = \"31d\"\n") ==
          Lines{"5:7: \"max\" must be from 8 to 16777216",
                "6:12: \"tcp-idle\" must be from 1s to 30d",
                "7:12: \"udp-idle\" must be from 1s to 30d"});
    CHECK(wrong("[flows]\nmax = 16777217\ntcp-idle = 60\nudp-idle = \"soon\"\n") ==
          Lines{"5:7: \"max\" must be from 8 to 16777216", "6:12: \"tcp-idle\" needs a unit",
                "7:12: \"soon\" is not a duration"});
}

TEST_CASE("events have a rate and a time of repeat, within bounds") {
    CHECK(good("").events.per_second == 1000);
    CHECK(good("").events.repeat == seconds(10));
    CHECK(good("[events]\nper-second = 1\nrepeat = \"1d\"\n").events.per_second == 1);
    CHECK(good("[events]\nper-second = 1000000\nrepeat = \"1s\"\n").events.repeat == seconds(1));
    CHECK_FALSE(good("[events]\n").events.command_lines);
    CHECK(good("[events]\ncommand-lines = true\n").events.command_lines);
    CHECK(wrong("[events]\ncommand-lines = 1\n").size() == 1);
    CHECK(good("[events]\n").events.names);
    CHECK_FALSE(good("[events]\nnames = false\n").events.names);
    CHECK(wrong("[events]\nper-second = 0\nrepeat = \"0s\"\n") ==
          Lines{"5:14: \"per-second\" must be from 1 to 1000000",
                "6:10: \"repeat\" must be from 1s to 1d"});
    CHECK(wrong("[events]\nper-second = 1000001\nrepeat = \"25h\"\n").size() == 2);
}

TEST_CASE("an unknown section is an error with the near one") {
    const ParsedPolicy result = parsed("[essential]\n");
    CHECK(findings(result) == Lines{"4:2: unknown key \"essential\" in the policy"});
    CHECK(result.diagnostics.at(0).hint == "did you mean \"essentials\"?");
}

TEST_CASE("a syntax error is one finding, and no policy") {
    const ParsedPolicy result = parsed("[zones\n");
    CHECK_FALSE(result.policy);
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].line == 4);
    CHECK(result.diagnostics[0].column == 7);
    CHECK(result.diagnostics[0].source == "[zones");
}

TEST_CASE("findings without number are cut off and counted") {
    std::string list = "[zones]\nz = [";
    for (int i = 0; i < 1000; ++i) list += "\"x\",";
    const ParsedPolicy result = parsed(list + "]\n");
    REQUIRE(result.diagnostics.size() == 201);
    CHECK(result.diagnostics.back().message == "and 800 more errors");
    CHECK_FALSE(result.policy);
}
