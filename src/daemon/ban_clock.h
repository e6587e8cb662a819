// SPDX-License-Identifier: Apache-2.0
#pragma once
// The clocks that a ban lives by: the boot's, which nobody steps, and the wall's, which alone
// goes on over a reboot.
#include <cstdint>
#include <functional>
#include <string>

namespace sallyport {

struct BanClock {
    std::function<std::uint64_t()> boot_ns; // CLOCK_BOOTTIME
    std::function<std::int64_t()> wall_ms;  // since 1970
    std::string boot_id;                    // of this boot; "" when it is not known
};
[[nodiscard]] BanClock system_ban_clock();

} // namespace sallyport
