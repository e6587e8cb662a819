// SPDX-License-Identifier: Apache-2.0
// The judge of what is learned, which its neighbours call, and the least it has to judge.
#include "compile/compile.h"
#include "learn/claims.h"
#include "unit/learn/learned.h"

namespace sallyport::learn {

ParsedPolicy parsed(const std::string& text) {
    const ParseWorld nothing{
        .read_file = [](const std::string&) -> Result<std::string> {
            return fail(ErrorKind::not_found, "no files here");
        },
        .user_id = [](const std::string&) { return std::nullopt; },
        .service_port = [](const std::string&, std::uint8_t) { return std::nullopt; }};
    ParsedPolicy policy = parse_policy(text, "policy.toml", nothing);
    for (const Diagnostic& one : policy.diagnostics) UNSCOPED_INFO(to_text(one));
    UNSCOPED_INFO(text);
    REQUIRE(policy.policy);
    return policy;
}

Learned learned(const Seen& seen, const std::string& rules, const LearnOptions& options) {
    const ParsedPolicy policy = parsed(kHead + rules);
    Learned result{.findings = sort_out(seen, policy, options), .text = {}};
    Place place;
    place.file = "policy.toml";
    place.source = "a test";
    place.events = seen.events();
    place.knows_served = seen.knows_served();
    result.text = policy_text(kHead + rules, result.findings, place);
    const ParsedPolicy again = parsed(result.text);
    CHECK(again.policy->rules.size() == policy.policy->rules.size() + result.findings.rules.size());
    CHECK(compile(*again.policy, {}).has_value());
    CHECK(unkept_claims(result.findings, *again.policy).empty());
    CHECK(overreach(result.findings, again) == std::vector<std::string>{});
    for (const LearnedRule& rule : result.findings.rules) {
        CHECK(!rule.claims.empty());
        if (rule.claims.empty()) continue;
        CHECK(evaluate(*policy.policy, rule.claims.front()).answer != Answer::allowed);
    }
    return result;
}

Learned learned_of(const std::vector<Event>& events, const std::vector<Served>& served,
                   const std::string& rules, const LearnOptions& options) {
    Seen seen;
    seen.serve(served);
    for (const Event& one : events) seen.add(one);
    return learned(seen, rules, options);
}

} // namespace sallyport::learn

using namespace sallyport::learn;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("of nothing seen the policy is that which observed, and says so") {
    const std::string rules = "[[ingress]]\nname = \"ssh\"\nfrom = \"any\"\nproto = \"tcp\"\n"
                              "ports = [22] # a comment of the operator's\n";
    const Learned result = learned_of({}, {}, rules);
    CHECK(result.findings.rules.empty());
    CHECK_THAT(result.text, ContainsSubstring(rules) && ContainsSubstring("nothing was seen"));
}
