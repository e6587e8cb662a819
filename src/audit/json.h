// SPDX-License-Identifier: Apache-2.0
#pragma once
// The report as data. Every key is always there; what is not known is null.
#include "audit/judge.h"

#include <nlohmann/json.hpp>
#include <string>

namespace sallyport::audit {

// Where the policy came from.
struct PolicyNote {
    std::string file;
    std::string sha256;
    bool is_changed = false; // the file is no longer what the standing wall was given
    bool is_kept = false;    // judged by the copy that was kept of what it was given
};

[[nodiscard]] nlohmann::ordered_json to_json(const Judged& judged, const Machine& machine);
[[nodiscard]] nlohmann::ordered_json to_json(const Report& report, const Machine& machine,
                                             const std::optional<PolicyNote>& policy,
                                             const Catalogue& catalogue);

} // namespace sallyport::audit
