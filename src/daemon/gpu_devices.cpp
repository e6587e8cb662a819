// SPDX-License-Identifier: Apache-2.0
#include "daemon/gpu_devices.h"

#include "base/small_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <sys/stat.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// NVIDIA's driver is not in sysfs; it gives the cards the first minor numbers (its
// nv-chardev-numbers.h).
std::string of_nvidia(std::uint32_t minor) {
    if (minor == 255) return "nvidiactl";
    if (minor == 254) return "nvidia-modeset";
    return fmt::format("nvidia{}", minor);
}

// Cards from 0, render nodes from 128 (Linux, drivers/gpu/drm/drm_drv.c).
std::string of_drm(std::uint32_t minor) {
    if (minor < 64) return fmt::format("dri/card{}", minor);
    return minor < 128 ? fmt::format("dri/controlD{}", minor) : fmt::format("dri/renderD{}", minor);
}

} // namespace

GpuDevices::GpuDevices(std::string_view proc_devices) {
    constexpr std::array<std::string_view, 7> kDrivers{
        "nvidia", "nvidia-frontend", "nvidiactl", "nvidia-uvm", "drm", "kfd", "accel"};
    const std::size_t block = proc_devices.find("Block devices:");
    proc_devices = proc_devices.substr(0, block);
    while (!proc_devices.empty()) {
        const std::size_t end = std::min(proc_devices.find('\n'), proc_devices.size());
        std::string_view line = proc_devices.substr(0, end);
        proc_devices.remove_prefix(std::min(end + 1, proc_devices.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        std::uint32_t major = 0;
        const char* last = line.data() + line.size();
        const auto [stop, error] = std::from_chars(line.data(), last, major);
        if (error != std::errc{} || stop == last || *stop != ' ') continue;
        const std::string_view driver(stop + 1, last);
        if (std::ranges::find(kDrivers, driver) != kDrivers.end()) drivers_[major] = driver;
    }
}

std::string GpuDevices::name_of(std::uint32_t major, std::uint32_t minor) const {
    const auto at = drivers_.find(major);
    if (at == drivers_.end()) return {};
    const std::string& driver = at->second;
    if (driver == "drm") return of_drm(minor);
    if (driver == "kfd") return "kfd";
    if (driver == "accel") return fmt::format("accel/accel{}", minor);
    if (driver == "nvidia-uvm") return minor == 1 ? "nvidia-uvm-tools" : "nvidia-uvm";
    return of_nvidia(minor);
}

std::vector<std::string> GpuDevices::held_by(const std::string& process_directory) const {
    if (drivers_.empty()) return {};
    std::set<std::string> names;
    std::error_code error;
    fs::directory_iterator at(process_directory + "/fd", error);
    for (std::size_t i = 0; !error && at != fs::directory_iterator() && i < kDescriptorsLookedAt;
         ++i, at.increment(error)) {
        const std::string descriptor = at->path().string();
        // What a link says costs its file system nothing; only what may be a device is asked.
        if (read_link(descriptor).find("/dev/") == std::string::npos) continue;
        struct statx about{};
        if (::statx(AT_FDCWD, descriptor.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &about) != 0 ||
            !S_ISCHR(about.stx_mode))
            continue;
        std::string name = name_of(about.stx_rdev_major, about.stx_rdev_minor);
        if (!name.empty() && names.size() < kGpusMost) names.insert(std::move(name));
    }
    return {names.begin(), names.end()};
}

} // namespace sallyport
