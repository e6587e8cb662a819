// SPDX-License-Identifier: Apache-2.0
// Random rule sets against a reading of their own: the first match, asked of one packet.
#include "import/import.h"
#include "policy/evaluate.h"
#include "support/dice.h"
#include "unit/config/world.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

struct Asked {
    std::string source;
    unsigned third = 0; // 10.0.THIRD.LAST
    unsigned last = 0;
    std::uint16_t port = 0;
    std::uint8_t proto = 6;
    std::string interface;
};

struct SourceRule {
    int third = -1; // 10.0.THIRD.0/24; none: any
    int last = -1;
    bool not_source = false;
    int proto = -1;
    int low = 0, high = -1; // none: any
    bool not_ports = false;
    std::string interface;
    bool not_interface = false;
    bool is_unknown = false;
    std::string verdict; // or a chain

    [[nodiscard]] bool matches(const Asked& asked) const {
        if (third >= 0) {
            const bool in = asked.third == static_cast<unsigned>(third) &&
                            (last < 0 || asked.last == static_cast<unsigned>(last));
            if (in == not_source) return false;
        }
        if (proto >= 0 && asked.proto != proto) return false;
        if (high >= 0 && ((asked.port >= low && asked.port <= high) == not_ports)) return false;
        return interface.empty() || (asked.interface == interface) != not_interface;
    }

    [[nodiscard]] std::string text(const std::string& chain) const {
        std::string text = "-A " + chain;
        if (third >= 0)
            text += std::string(not_source ? " !" : "") + " -s 10.0." + std::to_string(third) +
                    "." + (last < 0 ? "0/24" : std::to_string(last));
        if (!interface.empty()) text += std::string(not_interface ? " !" : "") + " -i " + interface;
        if (proto >= 0) text += proto == 6 ? " -p tcp" : " -p udp";
        if (high >= 0)
            text += std::string(not_ports ? " !" : "") + " --dport " + std::to_string(low) + ":" +
                    std::to_string(high);
        if (is_unknown) text += " -m string --string x --algo bm";
        return text + " -j " + verdict + "\n";
    }
};

struct SourceSet {
    std::vector<SourceRule> input, inner;
    bool accepts = false;

    // "ACCEPT", "DROP" or "RETURN". Of an unknown match, `guess` says whether it holds.
    [[nodiscard]] std::string walk(const std::vector<SourceRule>& rules, const Asked& asked,
                                   bool guess) const {
        for (const SourceRule& rule : rules) {
            if (!rule.matches(asked) || (rule.is_unknown && !guess)) continue;
            if (rule.verdict != "inner") return rule.verdict;
            const std::string said = walk(inner, asked, guess);
            if (said != "RETURN") return said;
        }
        return "RETURN";
    }
    [[nodiscard]] bool lets_in(const Asked& asked, bool guess) const {
        const std::string said = walk(input, asked, guess);
        return said == "RETURN" ? accepts : said == "ACCEPT";
    }
    [[nodiscard]] std::string text() const {
        const std::string known = " -m state --state ESTABLISHED,RELATED -j ACCEPT\n";
        std::string text = "*filter\n:INPUT " + std::string(accepts ? "ACCEPT" : "DROP") +
                           "\n:FORWARD DROP\n:OUTPUT DROP\n:inner -\n-A INPUT" + known +
                           "-A OUTPUT" + known;
        for (const SourceRule& rule : input) text += rule.text("INPUT");
        for (const SourceRule& rule : inner) text += rule.text("inner");
        return text + "COMMIT\n";
    }
};

constexpr std::array<int, 5> kPorts{1, 22, 80, 443, 65535};

SourceRule random_rule(test::Dice& dice, bool is_inner) {
    SourceRule rule;
    if (dice.roll(3) != 0) rule.third = static_cast<int>(dice.roll(3));
    if (rule.third >= 0 && dice.roll(3) == 0) rule.last = static_cast<int>(dice.roll(3));
    rule.not_source = dice.roll(6) == 0;
    if (dice.roll(3) != 0) rule.proto = dice.roll(2) == 0 ? 6 : 17;
    if (rule.proto >= 0 && dice.roll(3) != 0) {
        rule.low = kPorts[dice.roll(5)];
        rule.high = std::max(rule.low, kPorts[dice.roll(5)]);
        rule.not_ports = dice.roll(6) == 0;
    }
    if (dice.roll(6) == 0) rule.interface = dice.roll(2) == 0 ? "eth0" : "eth1";
    rule.not_interface = dice.roll(4) == 0;
    rule.is_unknown = dice.roll(16) == 0;
    const std::array<const char*, 6> verdicts{"ACCEPT", "ACCEPT", "DROP",
                                              "DROP",   "RETURN", "inner"};
    rule.verdict = verdicts[dice.roll(is_inner ? 5 : 6)];
    return rule;
}

bool allows(const Policy& policy, const Asked& asked) {
    Opening opening;
    opening.interface = asked.interface;
    opening.source = *parse_address(asked.source);
    opening.proto = asked.proto;
    opening.port = asked.port;
    return evaluate(policy, opening).answer == Answer::allowed;
}

} // namespace

TEST_CASE("what is imported of a random rule set is never looser, and the same where it is whole") {
    const std::uint64_t seed = test::test_seed();
    INFO("SP_SEED=" << seed);
    test::Dice dice(seed);
    const config_test::World world;
    std::size_t whole = 0, passed = 0, dropped = 0;
    for (int round = 0; round < 300; ++round) {
        SourceSet source;
        source.accepts = dice.roll(4) == 0;
        for (std::size_t i = 2 + dice.roll(7); i > 0; --i)
            source.input.push_back(random_rule(dice, false));
        for (std::size_t i = dice.roll(4); i > 0; --i)
            source.inner.push_back(random_rule(dice, true));
        const Result<imported::Imported> done =
            imported::import_iptables(source.text(), imported::Family::v4, "", {});
        if (!done) FAIL(source.text() << done.error().text());
        const ParsedPolicy parsed = parse_policy(done->policy, "p.toml", world.view());
        if (!parsed.policy) FAIL(source.text() << done->policy);
        const bool is_whole = done->is_whole();
        whole += is_whole;
        for (int packet = 0; packet < 200; ++packet) {
            Asked asked;
            asked.third = static_cast<unsigned>(dice.roll(4));
            asked.last = static_cast<unsigned>(dice.roll(4));
            asked.source = "10.0." + std::to_string(asked.third) + "." + std::to_string(asked.last);
            const int port = kPorts[dice.roll(5)] + static_cast<int>(dice.roll(3)) - 1;
            asked.port = static_cast<std::uint16_t>(std::clamp(port, 1, 65535));
            asked.proto = dice.roll(2) == 0 ? 6 : 17;
            asked.interface = dice.roll(2) == 0 ? "eth0" : dice.roll(2) == 0 ? "eth1" : "eth2";
            const bool ours = allows(*parsed.policy, asked);
            // A match that is not known may hold or not: let in is what passes either way.
            const bool theirs = source.lets_in(asked, true) && source.lets_in(asked, false);
            (ours ? passed : dropped)++;
            if ((ours && !theirs) || (is_whole && ours != theirs))
                FAIL(source.text()
                     << done->policy << asked.source << " " << asked.port << "/" << int(asked.proto)
                     << " " << asked.interface << ": ours " << ours << ", theirs " << theirs);
        }
    }
    CHECK(whole > 30);
    CHECK(passed > 1000);
    CHECK(dropped > 1000);
}
