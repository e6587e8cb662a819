// SPDX-License-Identifier: Apache-2.0
#pragma once
// Policy files piece by piece, for tests. Peers are a zone, "any" or CIDRs with
// blanks between them; ports likewise, "22 8000-8010"; empty: the key is left out.
#include "policy/policy.h"

#include <string>

namespace sallyport::test {

[[nodiscard]] std::string allow_in(const std::string& name, const std::string& from,
                                   const std::string& proto, const std::string& ports = "");
[[nodiscard]] std::string allow_out(const std::string& name, const std::string& to,
                                    const std::string& proto, const std::string& ports = "");
[[nodiscard]] std::string deny_in(const std::string& name, const std::string& from,
                                  const std::string& proto = "", const std::string& ports = "");
[[nodiscard]] std::string deny_out(const std::string& name, const std::string& to,
                                   const std::string& proto = "", const std::string& ports = "");
[[nodiscard]] std::string allow_through(const std::string& name, const std::string& from,
                                        const std::string& to, const std::string& proto,
                                        const std::string& ports = "");
[[nodiscard]] std::string deny_through(const std::string& name, const std::string& from,
                                       const std::string& to, const std::string& proto = "",
                                       const std::string& ports = "");
[[nodiscard]] std::string essentials(const std::string& lines);

// As the daemon would parse it, behind a preamble with schema, [host] (all
// interfaces of machine.h but eth2; `host_lines` are added) and [events]. Fails
// the running test on an error. Users: "model" is 1001, "nobody" 65534.
[[nodiscard]] Policy parsed(const std::string& policy, const std::string& host_lines = "");

} // namespace sallyport::test
