// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the audit reads of this machine: sockets of every network namespace, the processes that
// hold them, interfaces, NAT rules, the catalogue and the policy that is in force.
#include "audit/json.h"
#include "audit/judge.h"
#include "daemon/paths.h"

#include <optional>
#include <string>

namespace sallyport {

enum class Scope : unsigned char { own_namespace, every_namespace };
enum class AskNat : unsigned char { no, yes };

// What cannot be read is left out and named in `unseen`; an error only when nothing can be.
// `cgroup`: [host] cgroup of the policy, below which units are as its rules see them.
[[nodiscard]] Result<audit::Machine> read_machine(Scope scope, AskNat ask_nat,
                                                  const std::string& cgroup = "/");

// NAT rules as nft and iptables-save tell them, where these are installed (audit_nat.cpp).
[[nodiscard]] audit::Nat read_nat();

struct LoadedCatalogue {
    audit::Catalogue catalogue;
    std::vector<Diagnostic> diagnostics; // of files that were left out for them
    bool is_found = false;               // is there such a directory?
};
// *.toml of the directory, or, when none is named, of /etc/sallyport/services and then of what
// was installed.
[[nodiscard]] LoadedCatalogue load_catalogue(const std::string& directory);

struct PolicyInForce {
    std::optional<audit::Reach> reach; // none: there is no policy
    audit::Wall wall = audit::Wall::none;
    std::optional<audit::PolicyNote> note;
    std::string why_none;                // why no wall is taken to stand
    std::vector<Diagnostic> diagnostics; // errors among them: there is no policy to judge by
};
// `file` when one is named; else that of the wall that stands; else /etc/sallyport/policy.toml.
[[nodiscard]] std::string cgroup_of(const PolicyInForce& force); // "/" without a policy
[[nodiscard]] Result<PolicyInForce> policy_in_force(const std::string& file, const Paths& paths);

} // namespace sallyport
