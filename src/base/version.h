// SPDX-License-Identifier: Apache-2.0
#pragma once
// What version this binary is of: "0.1.0". A daemon and a command may be of different ones.
#include <string_view>

namespace sallyport {

[[nodiscard]] std::string_view own_version();

} // namespace sallyport
