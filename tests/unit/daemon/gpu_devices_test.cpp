// SPDX-License-Identifier: Apache-2.0
#include "daemon/gpu_devices.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fmt/format.h>

using namespace sallyport;
using namespace sallyport::test;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

constexpr const char* kDevices = "Character devices:\n  1 mem\n195 nvidia\n226 drm\n235 kfd\n"
                                 "261 accel\n508 nvidia-uvm\n509 nvidia-caps\n\n"
                                 "Block devices:\n195 drm\n";

// A process that holds these open.
class Holder {
  public:
    explicit Holder(const Names& targets) {
        fs::create_directories(root / "fd");
        for (std::size_t i = 0; i < targets.size(); ++i)
            fs::create_symlink(targets[i], root / fmt::format("fd/{}", i));
    }
    TempDir root;
};

} // namespace

TEST_CASE("a device is called as below /dev, by its driver's number and its own") {
    const GpuDevices devices(kDevices);
    CHECK(devices.name_of(195, 0) == "nvidia0");
    CHECK(devices.name_of(195, 7) == "nvidia7");
    CHECK(devices.name_of(195, 255) == "nvidiactl");
    CHECK(devices.name_of(195, 254) == "nvidia-modeset");
    CHECK(devices.name_of(508, 0) == "nvidia-uvm");
    CHECK(devices.name_of(508, 1) == "nvidia-uvm-tools");
    CHECK(devices.name_of(226, 1) == "dri/card1");
    CHECK(devices.name_of(226, 128) == "dri/renderD128");
    CHECK(devices.name_of(235, 0) == "kfd");
    CHECK(devices.name_of(261, 2) == "accel/accel2");
    CHECK(devices.name_of(1, 3).empty());
    CHECK(devices.name_of(509, 1).empty());
    CHECK(devices.name_of(8, 0).empty());
}

TEST_CASE("without such drivers nothing is a GPU") {
    for (const char* text : {"", "garbage", "Character devices:\n", "Block devices:\n226 drm\n",
                             "Character devices:\n226\n x drm\n99999999999 drm\n"}) {
        const GpuDevices devices(text);
        CHECK(devices.name_of(226, 0).empty());
        CHECK(devices.held_by("/proc/self").empty());
    }
}

TEST_CASE("what a process holds is told once, in order, and only devices are") {
    // /dev/null is 1:3, /dev/zero 1:5.
    const GpuDevices devices("Character devices:\n  1 nvidia\n");
    const TempDir elsewhere;
    fs::create_directories(elsewhere / "dev/sub");
    const Holder holder({"/dev/zero", "/dev/null", "/dev/null", "socket:[1]", elsewhere / "dev/sub",
                         "/dev/not-there", "/etc/passwd"});
    CHECK(devices.held_by(holder.root / ".") == Names{"nvidia3", "nvidia5"});
    CHECK(devices.held_by(holder.root / "nobody").empty());
}

TEST_CASE("a file that is only called like a device is none") {
    const GpuDevices devices(kDevices);
    const Holder holder({"/dev/null", "/dev/zero"});
    CHECK(devices.held_by(holder.root / ".").empty());
}
