// SPDX-License-Identifier: Apache-2.0
#include "kernel/flowtables.h"
#include "unit/kernel/own_namespace.h"

#include <catch2/catch_test_macros.hpp>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

using Names = std::vector<std::string>;

constexpr std::uint16_t kTold = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE;

using Body = std::vector<std::byte>;

void add(Body& body, Bytes bytes) {
    body.insert(body.end(), bytes.begin(), bytes.end());
    body.resize(NLMSG_ALIGN(body.size()));
}

void add_attribute(Body& body, std::uint16_t type, const std::string& value) {
    const nlattr head{.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + value.size()),
                      .nla_type = type};
    add(body, bytes_of(head));
    add(body, std::as_bytes(std::span(value)));
}

// As the kernel tells of one: its strings end in a zero.
Body told(const std::string& table, const std::string& name) {
    Body body;
    add(body, bytes_of(nfgenmsg{.nfgen_family = 1, .version = 0, .res_id = 0}));
    add_attribute(body, NFTA_FLOWTABLE_TABLE, table + '\0');
    add_attribute(body, NFTA_FLOWTABLE_NAME, name + '\0');
    add_attribute(body, NFTA_FLOWTABLE_USE, std::string(4, '\0'));
    return body;
}

Flowtables noted(const std::vector<Body>& bodies, std::uint16_t type = kTold) {
    Flowtables found;
    for (const Body& body : bodies) note_flowtable({.type = type, .body = body}, found);
    return found;
}

} // namespace

TEST_CASE("flowtables are listed by name, sorted and each once") {
    CHECK(noted({}).names.empty());
    const Flowtables found = noted({told("b", "fast"), told("a", "even"), told("c", "fast")});
    CHECK(found.names == Names{"even", "fast"});
    CHECK_FALSE(found.more);
}

TEST_CASE("a message that tells of no flowtable lists none") {
    CHECK(noted({told("a", "f")}, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE).names.empty());
    CHECK(noted({told("a", "f")}, NFT_MSG_NEWFLOWTABLE).names.empty());
    CHECK(noted({told("a", "")}).names.empty());
    CHECK(noted({Body{}}).names.empty());
}

TEST_CASE("a message about a flowtable that is cut short is no name, or the one it has") {
    const Body whole = told("table", "fast");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO(size);
        const Names names =
            noted({Body(whole.begin(), whole.begin() + std::ptrdiff_t(size))}).names;
        CHECK((names.empty() || names == Names{"fast"}));
    }
    Body unended;
    add(unended, bytes_of(nfgenmsg{}));
    add_attribute(unended, NFTA_FLOWTABLE_NAME, "without-zero");
    CHECK(noted({unended}).names == Names{"without-zero"});
}

TEST_CASE("more flowtables than are listed are said to be there") {
    std::vector<Body> bodies;
    for (std::size_t i = 0; i < kFlowtablesListed; ++i)
        bodies.push_back(told("a", "f" + std::to_string(i)));
    bodies.push_back(bodies.front());
    CHECK_FALSE(noted(bodies).more);
    bodies.push_back(told("a", "one-more"));
    CHECK(noted(bodies).more);
    CHECK(noted(bodies).names.size() == kFlowtablesListed);
}

TEST_CASE("a namespace without a flowtable has none") {
    in_own_namespace([] {
        const Result<Flowtables> found = flowtables();
        REQUIRE(found);
        CHECK(found->names.empty());
        CHECK_FALSE(found->more);
    });
}
