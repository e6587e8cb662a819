// SPDX-License-Identifier: Apache-2.0
#pragma once
// The report for people. What processes call themselves is made fit for a terminal.
#include "audit/json.h"
#include "audit/judge.h"

#include <string>

namespace sallyport::audit {

[[nodiscard]] std::string render(const Report& report, const Machine& machine,
                                 const std::optional<PolicyNote>& policy);
// One line for --watch: "tcp 0.0.0.0:11434 ollama (pid 42, root, ollama.service) exposed, high".
[[nodiscard]] std::string one_line(const Judged& judged);
// "ollama", "python3"; "-" when nothing is known.
[[nodiscard]] std::string name_of(const Judged& judged);
// "any by eth1 (not guarded); admin by eth0"; "-" when nobody.
[[nodiscard]] std::string reach_text(const Judged& judged);

} // namespace sallyport::audit
