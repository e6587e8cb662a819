// SPDX-License-Identifier: Apache-2.0
#pragma once
// Programs of others that only list something. A command runs them; the daemon does not.
#include <optional>
#include <string>
#include <vector>

namespace sallyport {

// Its path where root's tools are, never by $PATH; "" when it is not installed.
[[nodiscard]] std::string find_tool(const std::string& name);
// What it writes to its output, at most 64 MiB within 10 s; nullopt when it does not end
// well, or not in time. It gets no input and no environment but LC_ALL=C.
[[nodiscard]] std::optional<std::string> output_of_tool(std::vector<std::string> command);

} // namespace sallyport
