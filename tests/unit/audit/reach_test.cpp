// SPDX-License-Identifier: Apache-2.0
// Sets of sources against the evaluator, and their names in zones.
#include "audit/reach.h"
#include "policy/evaluate.h"
#include "support/random_policy.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

Prefix prefix(const std::string& text) {
    return parse_prefix(text).value();
}

Address address(const std::string& text) {
    return parse_address(text).value();
}

AddressSet set_of(const std::vector<std::string>& texts) {
    std::vector<Prefix> prefixes;
    for (const std::string& text : texts) prefixes.push_back(prefix(text));
    return AddressSet::of(prefixes);
}

std::vector<std::string> texts_of(const AddressSet& set) {
    std::vector<std::string> texts;
    for (const Prefix& one : set.prefixes()) texts.push_back(to_string(one));
    return texts;
}

Reach reach_of(const std::string& rules) {
    const ParseWorld nothing{
        .read_file = [](const std::string&) -> Result<std::string> {
            return fail(ErrorKind::not_found, "no files here");
        },
        .user_id = [](const std::string&) { return std::nullopt; },
        .service_port = [](const std::string&, std::uint8_t) { return std::nullopt; }};
    ParsedPolicy parsed = parse_policy("schema = 1\n[host]\ninterfaces = [\"eth0\"]\n" + rules,
                                       "policy.toml", nothing);
    for (const Diagnostic& one : parsed.diagnostics) INFO(to_text(one));
    REQUIRE(parsed.policy);
    return {*std::move(parsed.policy), std::move(parsed.zones)};
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("the sources that a policy lets in are those that the evaluator does") {
    const char* named = std::getenv("SP_SEED");
    const std::uint64_t seed = named ? std::strtoull(named, nullptr, 10) : std::random_device{}();
    CAPTURE(seed);
    test::Dice dice(seed);
    const test::PolicyShape shape{.directions = {Direction::ingress, Direction::forward},
                                  .identities = false};
    std::size_t allowed = 0, refused = 0;
    for (int i = 0; i < 200; ++i) {
        const Policy policy = test::random_policy(dice, shape);
        Reach reach(policy, {});
        for (int k = 0; k < 40; ++k) {
            const Opening opening = test::random_opening(dice, policy, shape);
            if (opening.direction == Direction::egress) continue;
            const Opened opened =
                opening.direction == Direction::ingress
                    ? reach.ingress(opening.interface, opening.proto, opening.port)
                    : reach.forward(opening.interface, opening.destination, opening.proto,
                                    opening.port);
            const bool is_allowed = evaluate(policy, opening).answer == Answer::allowed;
            INFO(test::describe(policy) << test::describe(opening));
            REQUIRE(opened.sources.holds(opening.source) == is_allowed);
            ++(is_allowed ? allowed : refused);
        }
    }
    CHECK(allowed > 50);
    CHECK(refused > 50);
}

TEST_CASE("prefixes come back as they were, and what touches becomes one") {
    CHECK(texts_of(set_of({"10.0.0.0/24", "10.0.1.0/24"})) == Texts{"10.0.0.0/23"});
    CHECK(texts_of(set_of({"fd00::/9", "fd80::/9"})) == Texts{"fd00::/8"});
    CHECK(texts_of(set_of({"0.0.0.0/0", "::/0"})) == Texts{"::/0", "0.0.0.0/0"});
    CHECK(texts_of(set_of({"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})) ==
          Texts{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255"});
    CHECK(texts_of({}).empty());
}

TEST_CASE("everything of IPv6 holds nothing of IPv4, and the other way round") {
    CHECK_FALSE(set_of({"::/0"}).holds(address("10.0.0.1")));
    CHECK(set_of({"::/0"}).holds(address("fd00::1")));
    CHECK(set_of({"0.0.0.0/0"}).holds(address("10.0.0.1")));
    CHECK_FALSE(set_of({"0.0.0.0/0"}).holds(address("fd00::1")));
    CHECK(set_of({"::/0"}).holds_all(AddressSet::all_v6()));
    CHECK(set_of({"0.0.0.0/0"}).holds_all(AddressSet::all_v4()));
}

TEST_CASE("taking away leaves both sides, one side, or nothing") {
    CHECK(texts_of(without(set_of({"10.0.0.0/30"}), set_of({"10.0.0.1"}))) ==
          Texts{"10.0.0.0", "10.0.0.2/31"});
    CHECK(texts_of(without(set_of({"10.0.0.0/30"}), set_of({"10.0.0.0/31"}))) ==
          Texts{"10.0.0.2/31"});
    CHECK(without(set_of({"10.0.0.0/30"}), set_of({"10.0.0.0/8"})).is_empty());
    CHECK(texts_of(without(set_of({"10.0.0.0/30"}), {})) == Texts{"10.0.0.0/30"});
}

TEST_CASE("a zone is named when all of it is let in, and in part when some is") {
    Reach reach = reach_of("[zones]\nlan = [\"10.0.0.0/16\", \"fd00::/64\"]\n"
                           "admin = [\"10.0.0.0/24\"]\nother = [\"192.168.0.0/16\"]\n"
                           "[[ingress]]\nname = \"a\"\nfrom = [\"admin\", \"10.0.9.9\"]\n"
                           "proto = \"tcp\"\nports = [22]\n"
                           "[[deny]]\nname = \"b\"\ndirection = \"ingress\"\nfrom = \"other\"\n");
    const Opened& opened = reach.ingress("eth0", 6, 22);
    CHECK(opened.rules == std::vector<std::size_t>{0});
    const SourceNames names = reach.names(opened.sources, "eth0", AddressSet::all_v4());
    CHECK(names.from == Texts{"admin"});
    CHECK(names.partly == Texts{"lan"});
    CHECK(names.networks == Texts{"10.0.9.9"});
    CHECK_FALSE(names.is_any);
    CHECK(reach.names(opened.sources, "eth0", AddressSet::all_v6()).from.empty());
    CHECK(reach.ingress("eth0", 6, 23).sources.is_empty());
    CHECK(reach.ingress("eth0", 17, 22).sources.is_empty());
}

TEST_CASE("any is any of the families that are asked about") {
    Reach reach = reach_of("[[ingress]]\nname = \"a\"\nfrom = \"0.0.0.0/0\"\nproto = \"tcp\"\n"
                           "ports = [80]\n");
    const AddressSet sources = reach.ingress("eth0", 6, 80).sources;
    CHECK(reach.names(sources, "eth0", AddressSet::all_v4()).is_any);
    const AddressSet all = either(AddressSet::all_v4(), AddressSet::all_v6());
    const SourceNames names = reach.names(sources, "eth0", all);
    CHECK_FALSE(names.is_any);
    CHECK(names.networks == Texts{"0.0.0.0/0"});
}
