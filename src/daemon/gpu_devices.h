// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which GPUs and accelerators a process holds open, by the device numbers of its descriptors:
// a path is the process's own to choose, a number is not.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

inline constexpr std::size_t kGpusMost = 16;
inline constexpr std::size_t kDescriptorsLookedAt = 4096;

class GpuDevices {
  public:
    GpuDevices() = default;
    // By the text of /proc/devices: the drivers' major numbers, most of them given out as
    // the drivers come.
    explicit GpuDevices(std::string_view proc_devices);

    // As below /dev, "nvidia0", "dri/renderD128", "dri/card0", "kfd", "accel/accel0"; "" when
    // it is none.
    [[nodiscard]] std::string name_of(std::uint32_t major, std::uint32_t minor) const;
    // Those that a process holds, in order, kGpusMost at most; none when it has gone or may not
    // be seen. Asks no file system for news, so that one of the process's making cannot keep
    // us waiting.
    [[nodiscard]] std::vector<std::string> held_by(const std::string& process_directory) const;

  private:
    std::map<std::uint32_t, std::string, std::less<>> drivers_; // by major number
};

} // namespace sallyport
