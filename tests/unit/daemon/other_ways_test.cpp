// SPDX-License-Identifier: Apache-2.0
#include "daemon/other_ways.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

using namespace sallyport;
using namespace sallyport::test;

namespace {

using Names = std::vector<std::string>;

struct Machine {
    TempDir dir;
    std::optional<std::uint32_t> vsock;
    void make(const std::string& path) const {
        std::filesystem::create_directories(dir / path.substr(1));
    }
    [[nodiscard]] Names ways() const {
        return other_ways({.root = dir / "", .vsock_id = [this] { return vsock; }});
    }
};

} // namespace

TEST_CASE("a machine without such devices has no other way") {
    Machine machine;
    CHECK(machine.ways().empty());
    machine.make("/sys/class/bluetooth");
    machine.make("/sys/class/uio");
    machine.make("/dev/vfio/vfio");
    machine.make("/dev/vfio/devices");
    CHECK(machine.ways().empty());
}

TEST_CASE("each device that packets may leave by unseen is named") {
    Machine machine;
    machine.make("/sys/class/bluetooth/hci0");
    CHECK(machine.ways() == Names{"bluetooth"});
    machine.make("/sys/class/uio/uio0");
    CHECK(machine.ways() == Names{"bluetooth", "uio"});
    machine.make("/dev/vfio/12");
    CHECK(machine.ways() == Names{"bluetooth", "vfio", "uio"});
    Machine newer;
    newer.make("/dev/vfio/devices/vfio0");
    CHECK(newer.ways() == Names{"vfio"});
}

TEST_CASE("vsock is a way between a guest and its host, not by itself") {
    Machine machine;
    for (const std::uint32_t none : {0xffffffffu, 1u}) {
        machine.vsock = none;
        CHECK(machine.ways().empty());
    }
    for (const std::uint32_t id : {2u, 3u, 1000u}) {
        machine.vsock = id;
        CHECK(machine.ways() == Names{"vsock"});
    }
}

TEST_CASE("devices that share a NIC are named when their module is loaded") {
    Machine machine;
    CHECK(nic_sharers(machine.dir / "").empty());
    machine.make("/sys/module/macvlan");
    CHECK(nic_sharers(machine.dir / "") == Names{"macvlan"});
    machine.make("/sys/module/ipvlan");
    CHECK(nic_sharers(machine.dir / "") == Names{"ipvlan", "macvlan"});
}

TEST_CASE("each flowtable is named, and that some could not be") {
    CHECK(fast_paths(Flowtables{}).empty());
    CHECK(fast_paths(Flowtables{.names = {"fast", "other"}}) ==
          Names{"flowtable:fast", "flowtable:other"});
    CHECK(fast_paths(Flowtables{.names = {"fast"}, .more = true}) ==
          Names{"flowtable:fast", "flowtables"});
    CHECK(fast_paths(fail(ErrorKind::permission, "not for you")) == Names{"flowtables"});
}

TEST_CASE("a flowtable's name is shown, whatever bytes it has") {
    CHECK(fast_paths(Flowtables{.names = {"a\nb"}}) == Names{"flowtable:a\\x0ab"});
    CHECK(fast_paths(Flowtables{.names = {"\xff"}}) == Names{"flowtable:\\xff"});
}
