// SPDX-License-Identifier: Apache-2.0
#include "compile/compile.h"
#include "compile/identity.h"
#include "compile/lookup.h"
#include "support/random_policy.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace sallyport;
using namespace sallyport::test;

namespace {

Rule egress_for(Identity identity) {
    Rule rule;
    rule.name =
        identity.unit + identity.cgroup + (identity.user ? std::to_string(*identity.user) : "");
    rule.direction = Direction::egress;
    rule.to = any_peer();
    rule.services.any_protocol = true;
    rule.identity = std::move(identity);
    return rule;
}

Policy policy_for(const std::vector<Identity>& identities, const std::string& host = "/") {
    Policy policy;
    policy.host.cgroup = host;
    for (const Identity& identity : identities) policy.rules.push_back(egress_for(identity));
    return policy;
}

Identity unit(const std::string& name) {
    return {.unit = name, .cgroup = "", .user = {}};
}
Identity cgroup(const std::string& path) {
    return {.unit = "", .cgroup = path, .user = {}};
}
Identity user(std::uint32_t uid) {
    return {.unit = "", .cgroup = "", .user = uid};
}

// What the tables say of a process that opens to 192.0.2.1.
Verdict asked(const Policy& policy, const std::string& path,
              std::optional<std::uint32_t> uid = {}) {
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    Opening opening;
    opening.direction = Direction::egress;
    opening.destination = Address::v4(0xc0000201);
    opening.proto = 6;
    opening.port = 443;
    opening.cgroup = path;
    opening.user = uid;
    const Verdict verdict = Lookup(*image).verdict(opening);
    CHECK(verdict == evaluate(policy, opening));
    return verdict;
}

bool may(const Policy& policy, const std::string& path, std::optional<std::uint32_t> uid = {}) {
    return asked(policy, path, uid).answer == Answer::allowed;
}

} // namespace

TEST_CASE("a unit is believed under slices, and below itself") {
    const Policy policy = policy_for({unit("rag.service")});
    CHECK(may(policy, "/rag.service"));
    CHECK(may(policy, "/system.slice/rag.service"));
    CHECK(may(policy, "/a.slice/a-b.slice/rag.service"));
    CHECK(may(policy, "/system.slice/rag.service/worker/1"));
    CHECK_FALSE(may(policy, "/system.slice/rag.service2"));
    CHECK_FALSE(may(policy, "/system.slice"));
    CHECK_FALSE(may(policy, "/"));
    CHECK_FALSE(may(policy, ""));
}

TEST_CASE("a unit's name below a service of anybody is not that unit") {
    const Policy policy = policy_for({unit("rag.service"), unit("other.service")});
    CHECK_FALSE(may(policy, "/user.slice/user@1000.service/rag.service"));
    CHECK_FALSE(may(policy, "/user.slice/user@1000.service/app.slice/rag.service"));
    // Below another unit that a rule names: that one's rule, not this one's.
    CHECK(asked(policy, "/other.service/rag.service").rule == 1);
    CHECK(asked(policy, "/other.service/x.slice/rag.service").rule == 1);
}

TEST_CASE("units are looked for below the host's cgroup only") {
    const Policy policy = policy_for({unit("rag.service")}, "/lab-1");
    CHECK(may(policy, "/lab-1/rag.service"));
    CHECK(may(policy, "/lab-1/system.slice/rag.service"));
    CHECK_FALSE(may(policy, "/rag.service"));
    CHECK_FALSE(may(policy, "/system.slice/rag.service"));
    CHECK_FALSE(may(policy, "/lab-2/rag.service"));
    CHECK_FALSE(may(policy, "/lab-1/x/rag.service"));
    CHECK_FALSE(may(policy, "/x.slice/lab-1/rag.service"));
}

TEST_CASE("a host's cgroup of several names, one of them a unit's, is walked first") {
    const Policy policy = policy_for({unit("b.slice")}, "/a.slice/b.slice");
    CHECK_FALSE(may(policy, "/a.slice/b.slice"));
    CHECK(may(policy, "/a.slice/b.slice/b.slice"));
    CHECK_FALSE(may(policy, "/a.slice/c.slice/b.slice"));
    CHECK_FALSE(may(policy, "/b.slice"));
}

TEST_CASE("a slice can be a unit, and holds units") {
    const Policy policy = policy_for({unit("ai.slice"), unit("rag.service")});
    CHECK(asked(policy, "/ai.slice").rule == 0);
    CHECK(asked(policy, "/ai.slice/x.service").rule == 0);
    CHECK(asked(policy, "/ai.slice/rag.service").rule == 0); // both match; the first is named
    CHECK(asked(policy, "/b.slice/rag.service").rule == 1);
    CHECK(asked(policy, "/b.slice/ai.slice/rag.service").rule == 0);
}

TEST_CASE("a cgroup path matches itself and below, from the hierarchy's root") {
    const Policy policy = policy_for({cgroup("/system.slice/rag.service")}, "/lab-1");
    CHECK(may(policy, "/system.slice/rag.service"));
    CHECK(may(policy, "/system.slice/rag.service/x"));
    CHECK_FALSE(may(policy, "/system.slice"));
    CHECK_FALSE(may(policy, "/system.slice/rag.service2"));
    CHECK_FALSE(may(policy, "/lab-1/system.slice/rag.service"));
    CHECK_FALSE(may(policy, ""));
}

TEST_CASE("the root as a cgroup is every known cgroup and no unknown one") {
    const Policy policy = policy_for({cgroup("/")});
    CHECK(may(policy, "/"));
    CHECK(may(policy, "/a/b/c"));
    CHECK_FALSE(may(policy, ""));
}

TEST_CASE("a user matches in every cgroup, an unknown one nowhere") {
    const Policy policy = policy_for({user(0), user(1000)});
    CHECK(asked(policy, "/x", 0).rule == 0);
    CHECK(asked(policy, "", 1000).rule == 1);
    CHECK_FALSE(may(policy, "/x", 1001));
    CHECK_FALSE(may(policy, "/x"));
}

TEST_CASE("a unit and a user must both hold") {
    const Policy policy = policy_for({{.unit = "rag.service", .cgroup = "", .user = 1000}});
    CHECK(may(policy, "/rag.service", 1000));
    CHECK_FALSE(may(policy, "/rag.service", 0));
    CHECK_FALSE(may(policy, "/rag.service"));
    CHECK_FALSE(may(policy, "/x.service", 1000));
}

TEST_CASE("without identities there is one column and one state") {
    Policy policy = policy_for({Identity{}});
    const Result<MapImage> image = compile(policy, {});
    REQUIRE(image);
    CHECK(image->slot.dims[SP_EGRESS].n_second == 1);
    CHECK(image->slot.any_identity == 0);
    CHECK(image->slot.n_users == 1);
    CHECK(image->cgroup_states.size() == 1);
    CHECK(image->cgroup_steps.empty());
    CHECK(image->users.empty());
    CHECK(may(policy, ""));
}

TEST_CASE("a name of 123 bytes is compared whole, one of 124 is refused") {
    const std::string longest(SP_CG_NAME - 1, 'n');
    CHECK(may(policy_for({unit(longest)}), "/" + longest));
    CHECK_FALSE(may(policy_for({unit(longest)}), "/" + longest + "n"));
    CHECK(may(policy_for({cgroup("/a/" + longest)}), "/a/" + longest));
    for (const Identity& identity : {unit(longest + "n"), cgroup("/a/" + longest + "n")}) {
        const Result<MapImage> image = compile(policy_for({identity}), {});
        REQUIRE_FALSE(image);
        CHECK(image.error().message.find("123") != std::string::npos);
    }
    CHECK_FALSE(compile(policy_for({unit("a")}, "/" + longest + "n"), {}));
}

TEST_CASE("more slices as units than can be told apart are refused") {
    std::vector<Identity> slices;
    for (int i = 0; i < 20; ++i) slices.push_back(unit("s" + std::to_string(i) + ".slice"));
    CHECK_FALSE(compile(policy_for(slices), {}));
    slices.resize(6);
    CHECK(compile(policy_for(slices), {}));
}

TEST_CASE("a thousand services as units are one step each") {
    std::vector<Identity> services;
    for (int i = 0; i < 1000; ++i) services.push_back(unit("s" + std::to_string(i) + ".service"));
    const Result<MapImage> image = compile(policy_for(services), {});
    REQUIRE(image);
    CHECK(image->cgroup_steps.size() == 1000);
    CHECK(image->slot.dims[SP_EGRESS].n_second == 1002);
}

TEST_CASE("every path of a small world has the identity that the oracle finds") {
    const std::uint64_t seed = test_seed();
    WARN("SP_SEED=" << seed);
    Dice dice(seed);
    PolicyShape shape;
    shape.directions = {Direction::egress};
    shape.rules = 12;
    for (int n = 0; n < 60; ++n) {
        Policy policy = random_policy(dice, shape);
        for (Rule& rule : policy.rules) {
            rule.to = any_peer();
            rule.services = {.any_protocol = true, .ranges = {}};
            rule.interfaces.clear();
        }
        const Result<MapImage> image = compile(policy, {});
        REQUIRE(image);
        const Lookup tables(*image);
        for (int m = 0; m < 300; ++m) {
            Opening opening;
            opening.direction = Direction::egress;
            opening.cgroup = random_cgroup(dice, policy);
            opening.user = dice.pick(universe_users());
            INFO(describe(policy) << describe(opening));
            REQUIRE(tables.verdict(opening) == evaluate(policy, opening));
        }
    }
}

namespace {

// Is that cgroup one of packet-socket-users, by the automaton that the kernel walks?
bool may_have_packet_sockets(const Policy& policy, const std::string& path) {
    const Result<MapImage> image =
        compile(policy, {.generation = 1, .interfaces = {}, .counters = {}});
    REQUIRE(image);
    std::uint32_t state = 0;
    for (std::size_t from = 1; from < path.size();) {
        const std::size_t to = std::min(path.find('/', from), path.size());
        const std::string name = path.substr(from, to - from);
        from = to + 1;
        std::uint32_t next = name.ends_with(".slice") ? image->cgroup_states.at(state).other_slice
                                                      : image->cgroup_states.at(state).other;
        for (const auto& [step, target] : image->cgroup_steps)
            if (step.state == state && name == step.name) next = target;
        state = next;
    }
    return (image->cgroup_states.at(state).flags & SP_CG_PACKET_USER) != 0;
}

} // namespace

TEST_CASE("a user of packet sockets is that cgroup or one below it") {
    Policy policy;
    policy.host.packet_socket_users = {"/system.slice/dhcp.service", "/a"};
    for (const char* path :
         {"/system.slice/dhcp.service", "/system.slice/dhcp.service/x/y", "/a", "/a/b"})
        CHECK(may_have_packet_sockets(policy, path));
    for (const char* path : {"/", "/system.slice", "/system.slice/dhcp.service2", "/dhcp.service",
                             "/b/a", "/system.slice/other.service/dhcp.service"})
        CHECK_FALSE(may_have_packet_sockets(policy, path));
    policy.host.packet_socket_users.clear();
    CHECK_FALSE(may_have_packet_sockets(policy, "/a"));
}

TEST_CASE("who may have packet sockets changes no rule's verdict and makes no identity") {
    Policy policy = policy_for({cgroup("/a"), unit("rag.service")});
    policy.host.packet_socket_users = {"/a/b", "/system.slice/rag.service/x", "/c"};
    CHECK(may(policy, "/a/b"));
    CHECK(may(policy, "/system.slice/rag.service/x"));
    CHECK_FALSE(may(policy, "/c"));
    const auto with = classify_identities(policy);
    policy.host.packet_socket_users.clear();
    const auto without = classify_identities(policy);
    REQUIRE((with && without));
    CHECK(with->count() == without->count());
}

TEST_CASE("a policy that denies packet sockets says so in its slot") {
    Policy policy;
    const auto flag = [&] {
        const auto image = compile(policy, {.generation = 1, .interfaces = {}, .counters = {}});
        REQUIRE(image);
        return image->slot.flags & SP_SLOT_PACKET_DENY;
    };
    CHECK(flag() == 0);
    policy.host.packet_sockets = PacketSockets::allow;
    CHECK(flag() == 0);
    policy.host.packet_sockets = PacketSockets::deny;
    CHECK(flag() != 0);
}
