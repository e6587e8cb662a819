// SPDX-License-Identifier: Apache-2.0
// Each fact that weakens a wall is told with what to do, and a machine without any has none.
#include "doctor/nftables.h"
#include "doctor/verdicts.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>

using namespace sallyport::doctor;

namespace {

NicFacts good_nic() {
    return {.name = "eth0",
            .driver = "mlx5_core",
            .is_hardware = true,
            .mtu = 1500,
            .xdp_features = 0x23,
            .lro = false,
            .combined = 8,
            .most_combined = 63,
            .xdp_mode = "",
            .xdp_program = "",
            .generic_pin = ""};
}

Facts good() {
    Facts facts;
    facts.is_root = facts.has_btf = facts.has_bpffs = true;
    facts.release = "6.12.9-amd64";
    facts.jit = 1;
    facts.unprivileged_bpf = 2;
    facts.cgroup2_mount = "/sys/fs/cgroup";
    facts.bpffs = "/sys/fs/bpf/sallyport";
    facts.cpus = 8;
    facts.nics = {good_nic()};
    facts.forwards_v4 = facts.forwards_v6 = 0;
    facts.clock_is_set = true;
    facts.wall = "protected";
    return facts;
}

using Change = std::function<void(Facts&)>;

// The findings that are not ok.
std::vector<Finding> bad(const Change& change) {
    Facts facts = good();
    change(facts);
    std::vector<Finding> findings = examine(facts);
    std::erase_if(findings, [](const Finding& one) { return one.level == Level::ok; });
    return findings;
}

Finding only(const Change& change) {
    const std::vector<Finding> findings = bad(change);
    for (const Finding& one : findings) UNSCOPED_INFO(one.id << ": " << one.text);
    REQUIRE(findings.size() == 1);
    CHECK_FALSE(findings[0].next.empty());
    return findings[0];
}

} // namespace

TEST_CASE("a machine that lacks nothing has no finding but ok") {
    CHECK(bad([](Facts&) {}).empty());
    CHECK(count(examine(good()), Level::ok) >= 12);
}

TEST_CASE("what makes a wall impossible is a failure") {
    const std::vector<std::pair<const char*, Change>> cases{
        {"kernel", [](Facts& f) { f.release = "5.15.0-generic"; }},
        {"kernel", [](Facts& f) { f.release = "6.0.1"; }},
        {"btf", [](Facts& f) { f.has_btf = false; }},
        {"cgroup", [](Facts& f) { f.cgroup2_mount = ""; }},
        {"bpffs", [](Facts& f) { f.has_bpffs = false; }},
        {"nic-xdp",
         [](Facts& f) { f.nics[0].xdp_mode = "native", f.nics[0].xdp_program = "cil_xdp"; }},
    };
    for (const auto& [id, change] : cases) {
        const Finding one = only(change);
        CHECK(one.id == id);
        CHECK(one.level == Level::fail);
    }
}

TEST_CASE("what weakens it is a warning") {
    const std::vector<std::pair<const char*, Change>> cases{
        {"root", [](Facts& f) { f.is_root = false; }},
        {"wall", [](Facts& f) { f.wall = "observing"; }},
        {"wall", [](Facts& f) { f.wall = "", f.wall_why = "no pins"; }},
        {"kernel", [](Facts& f) { f.release = "6.1.0-30-amd64"; }},
        {"kernel", [](Facts& f) { f.release = "unknown"; }},
        {"jit", [](Facts& f) { f.jit = 0; }},
        {"jit", [](Facts& f) { f.jit = 2; }},
        {"jit", [](Facts& f) { f.jit.reset(); }},
        {"unprivileged-bpf", [](Facts& f) { f.unprivileged_bpf = 0; }},
        {"lsm", [](Facts& f) { f.lsm_obstacle = "no bpf in lsm=", f.lsm_advice = "boot with it"; }},
        {"cgroup", [](Facts& f) { f.has_cgroup1 = true; }},
        {"clock", [](Facts& f) { f.clock_is_set = false; }},
        {"clock", [](Facts& f) { f.clock_is_set.reset(); }},
        {"nic", [](Facts& f) { f.nics.clear(); }},
        {"nic-lro", [](Facts& f) { f.nics[0].lro = true; }},
        {"nic-xdp", [](Facts& f) { f.nics[0].xdp_features = 0; }},
        {"firewall", [](Facts& f) { f.managers = {"ufw"}; }},
        {"firewall", [](Facts& f) { f.dropping = {{"inet filter", "input", "input"}}; }},
        {"firewall", [](Facts& f) { f.legacy_tables = {"filter"}; }},
        {"firewall", [](Facts& f) { f.nftables_why = "nft is not installed"; }},
        {"containers", [](Facts& f) { f.has_docker = true, f.has_conntrack = false; }},
        {"kubernetes", [](Facts& f) { f.has_kubernetes = true; }},
        {"rdma", [](Facts& f) { f.rdma = {"mlx5_0"}; }},
        {"other-ways", [](Facts& f) { f.other_ways = {"vfio"}; }},
        {"packet-socket", [](Facts& f) { f.packet_sockets = {{.pid = 7, .comm = "tcpdump"}}; }},
        {"ipv4-forwarding", [](Facts& f) { f.forwards_v4 = 1; }},
        {"ipv6-forwarding", [](Facts& f) { f.forwards_v6 = 1; }},
        {"ipv4-forwarding", [](Facts& f) { f.forwards_v4.reset(); }},
        {"ipv6-forwarding", [](Facts& f) { f.forwards_v6.reset(); }},
        {"router-advertisements", [](Facts& f) { f.ra_lost = {"eth0"}; }},
    };
    for (const auto& [id, change] : cases) {
        const Finding one = only(change);
        CHECK(one.id == id);
        CHECK(one.level == Level::warn);
    }
}

TEST_CASE("forwarding is as it should be where containers are") {
    CHECK(bad([](Facts& f) { f.has_docker = true, f.forwards_v4 = 1, f.forwards_v6 = 1; }).empty());
    CHECK(bad([](Facts& f) { f.has_containerd = true; }).empty());
}

TEST_CASE("our own program on a NIC is no obstacle, a generic one is slower") {
    const auto with = [](const char* mode) {
        return [mode](Facts& f) {
            f.nics[0].xdp_mode = mode;
            f.nics[0].xdp_program = "sp_xdp_in";
        };
    };
    CHECK(bad(with("native")).empty());
    CHECK(only(with("generic")).id == "nic-xdp");
    CHECK(bad([&](Facts& f) { with("generic")(f), f.nics[0].is_hardware = false; }).empty());
    CHECK(bad([](Facts& f) { f.nics[0].xdp_features.reset(); }).empty()); // before 6.3
}

TEST_CASE("IPv6 that is off is routed by nobody") {
    CHECK(bad([](Facts& f) { f.forwards_v6.reset(), f.has_ipv6 = false; }).empty());
}

TEST_CASE("what leads from generic to native mode lets nothing in meanwhile") {
    const auto next = [](bool holds, const char* pin) {
        return only([=](Facts& f) {
                   f.nics[0].xdp_mode = "generic";
                   f.nics[0].xdp_program = "sp_xdp_in";
                   f.nics[0].generic_pin = pin;
                   f.holds_nics = holds;
               })
            .next;
    };
    for (const char* pin : {"/pins/v1/links/xdp-generic-eth0", ""})
        for (const bool holds : {false, true})
            CHECK(next(holds, pin).find("sallyport down") == std::string::npos);
    const std::string held = next(true, "/pins/v1/links/xdp-generic-eth0");
    CHECK(held.find(": bpftool link detach pinned /pins/v1/links/xdp-generic-eth0;") !=
          std::string::npos);
    CHECK(held.find(" down") == std::string::npos);
    // Where nothing holds it, the NIC itself has to be shut first.
    const std::string bare = next(false, "/pins/v1/links/xdp-generic-eth0");
    CHECK(bare.find("ip link set dev eth0 down; bpftool link detach") != std::string::npos);
    CHECK(bare.ends_with("ip link set dev eth0 up"));
}

TEST_CASE("queues are counted as each driver wants them, and the command says how many") {
    const auto with = [](const char* driver, unsigned now, unsigned most) {
        return [=](Facts& f) {
            f.nics[0].driver = driver;
            f.nics[0].combined = now;
            f.nics[0].most_combined = most;
        };
    };
    CHECK(only(with("ena", 8, 8)).next == "ethtool -L eth0 combined 4");
    CHECK(bad(with("ena", 4, 8)).empty());
    CHECK(only(with("gve", 1 + 8, 16)).next == "ethtool -L eth0 combined 8");
    CHECK(only(with("virtio_net", 16, 16)).next == "ethtool -L eth0 combined 8");
    CHECK(bad(with("virtio_net", 8, 16)).empty());
    CHECK(only(with("virtio_net", 1, 1)).next.find("ethtool") == std::string::npos);
    CHECK(bad(with("mlx5_core", 63, 63)).empty());
    CHECK(bad(with("ena", 0, 0)).empty()); // it does not say
}

TEST_CASE("a large MTU is a matter of drivers that take no frame of several pages") {
    const auto with = [](unsigned mtu, std::uint64_t features) {
        return [=](Facts& f) {
            f.nics[0].mtu = mtu;
            f.nics[0].xdp_features = features;
        };
    };
    CHECK(only(with(9000, 0x3)).next == "ip link set dev eth0 mtu 3498");
    CHECK(bad(with(9000, 0x23)).empty());
    CHECK(bad(with(3498, 0x3)).empty());
    CHECK(only(with(3499, 0x3)).id == "nic-mtu");
}

TEST_CASE("a name from elsewhere is escaped, and JSON has every key") {
    Facts facts = good();
    facts.packet_sockets = {{.pid = 7, .comm = "x\n\x1b[2J"}};
    const std::vector<Finding> findings = examine(facts);
    const std::string text = render(findings);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("x\\x0a\\x1b[2J[7]") != std::string::npos);
    const auto json = to_json(findings);
    CHECK(json["warns"] == 1);
    CHECK(json["fails"] == 0);
    for (const auto& one : json["findings"]) CHECK(one.size() == 5);
}

TEST_CASE("chains that drop by themselves are read from nft's list, others not") {
    const auto chains = dropping_chains(
        R"({"nftables":[{"metainfo":{}},{"chain":{"family":"inet","table":"filter","name":"input",)"
        R"("hook":"input","prio":0,"policy":"drop"}},{"chain":{"family":"ip","table":"nat","name":)"
        R"("pre","hook":"prerouting","policy":"accept"}},{"chain":{"name":"x"}},{"chain":7},7]})");
    REQUIRE(chains);
    REQUIRE(chains->size() == 1);
    CHECK((*chains)[0].table == "inet filter");
    CHECK((*chains)[0].hook == "input");
    CHECK_FALSE(dropping_chains("no JSON"));
}
