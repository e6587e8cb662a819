// SPDX-License-Identifier: Apache-2.0
#include "cli/learn_sources.h"

#include "base/text.h"
#include "cli/client.h"
#include "daemon/history.h"
#include "daemon/policy_source.h"
#include "daemon/wall_news.h"

#include <algorithm>

namespace sallyport {
namespace {

using learn::Circle;
using learn::Served;

Circle circle_of(const audit::Judged& judged) {
    if (!judged.service) return Circle::unknown;
    return judged.service->expose == audit::Expose::any ? Circle::everybody : Circle::inside;
}

bool is_unspecified(const Address& address) {
    return address == Address{} || address == Address::v4(0);
}

bool is_loopback(const Address& address) {
    Address one{};
    one.bytes[15] = 1;
    return address == one || (address.is_v4() && address.v4_value() >> 24 == 127);
}

Served served_of(const audit::Judged& judged) {
    const audit::Listener& listener = judged.listener;
    Served one{.proto = listener.proto, .low = listener.port, .high = listener.port};
    one.v4 = listener.address.is_v4() || audit::is_dual(listener);
    one.v6 = !listener.address.is_v4();
    if (!is_unspecified(listener.address)) one.at = listener.address;
    one.name = judged.service     ? judged.service->name
               : listener.process ? listener.process->comm
                                  : std::string();
    one.circle = circle_of(judged);
    return one;
}

Served served_of(const audit::Publication& published) {
    return {.proto = published.proto,
            .low = published.low,
            .high = published.high,
            .v4 = !published.at || published.at->is_v4(),
            .v6 = !published.at || !published.at->is_v4(),
            .at = published.at && !is_unspecified(*published.at) ? published.at : std::nullopt,
            .name = "published"};
}

std::string sha_of(const Result<ObservedPolicy>& policy) {
    return policy ? policy->parsed.sha256 : std::string();
}

Result<ObservedPolicy> checked(ObservedPolicy policy) {
    if (policy.parsed.policy) return policy;
    return fail(ErrorKind::invalid_input, "the policy " + escaped(policy.file) + " has errors",
                "see them: sallyport check " + escaped(policy.file));
}

} // namespace

Result<std::vector<Served>> served_here(AskNat ask_nat, const audit::Catalogue& catalogue) {
    const audit::Machine machine = SP_TRY(read_machine(Scope::own_namespace, ask_nat));
    const audit::Report report = judge(machine, nullptr, audit::Wall::none, catalogue);
    std::vector<Served> served;
    for (const audit::Judged& judged : report.listeners)
        if (judged.listener.proto != audit::kRaw && !is_loopback(judged.listener.address))
            served.push_back(served_of(judged));
    for (const audit::Publication& published : machine.nat.published)
        served.push_back(served_of(published));
    // What the catalogue knows first: several may share a port.
    std::ranges::partition(served, [](const Served& one) { return one.circle != Circle::unknown; });
    return served;
}

Result<StatusView> daemon_status(const Paths& paths) {
    auto answer = SP_TRY(ask_daemon(paths.control_socket(), {{"cmd", "status"}}));
    answer.erase("ok");
    return status_from_json(answer);
}

Result<ObservedPolicy> policy_of_file(const std::string& file) {
    PolicyText read;
    ParsedPolicy parsed = SP_TRY(load_policy(file, &read));
    ObservedPolicy policy{.parsed = std::move(parsed), .text = std::move(read.text), .file = file};
    return checked(std::move(policy));
}

Result<ObservedPolicy> observed_policy(const StatusView& status, const Paths& paths) {
    const Result<ObservedPolicy> now = policy_of_file(status.policy_file);
    if (sha_of(now) == status.policy_sha256) return now;
    const PolicyHistory history(paths.state_dir);
    for (const HistoryEntry& entry : history.entries()) {
        if (entry.sha256 != status.policy_sha256) continue;
        const auto kept = history.load(entry);
        if (!kept || !kept->text) continue;
        ObservedPolicy policy{.parsed = parse_again(*kept->text, kept->file),
                              .text = kept->text->text,
                              .file = status.policy_file};
        return checked(std::move(policy));
    }
    return fail(ErrorKind::conflict,
                escaped(status.policy_file) + " is not the policy that observes any more, and "
                                              "nothing was kept of that one",
                "apply it first: sallyport apply " + escaped(status.policy_file));
}

} // namespace sallyport
