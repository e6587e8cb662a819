// SPDX-License-Identifier: Apache-2.0
#include "cli/drift_review.h"

#include "cli/drift_world.h"
#include "daemon/history.h"
#include "daemon/pins_status.h"

#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::time_t kWeek = std::time_t{7} * 24 * 3600;
constexpr std::size_t kChangesMost = 50;

std::string rfc3339(std::time_t when) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(when));
}

std::string host_name() {
    std::string name(256, '\0');
    if (gethostname(name.data(), name.size() - 1) != 0) return "this host";
    name.resize(std::min(name.find('\0'), name.size()));
    return name;
}

void add_status(const Paths& paths, drift::Review& review) {
    const Result<StatusView> status = status_from_pins(paths);
    if (!status) {
        review.state = "its state is not known: " + status.error().text();
        return;
    }
    review.state = status->state + (status->why.empty() ? "" : ": " + status->why);
    if (!status->policy_file.empty())
        review.policy = fmt::format("policy {} ({}), applied {} by {}, generation {}",
                                    status->policy_file, status->policy_sha256.substr(0, 12),
                                    status->policy_applied, status->policy_by, status->generation);
    review.rules = status->rules.size();
    for (const RuleStatus& rule : status->rules)
        if (rule.admitted + rule.limited + rule.denied == 0)
            review.unused_rules.push_back(fmt::format("{} \"{}\"", rule.direction, rule.name));
    review.bans_active = status->bans_active;
}

void add_changes(const Paths& paths, drift::Review& review) {
    std::vector<std::string> changes;
    for (const HistoryEntry& e : PolicyHistory(paths.state_dir).entries())
        if (e.applied >= review.from)
            changes.push_back(
                fmt::format("{} policy {} {} by {}{}{}{}", e.applied.substr(0, 16), e.number,
                            to_string(e.outcome), e.by,
                            e.restores != 0 ? fmt::format(", taking up policy {}", e.restores) : "",
                            e.message.empty() ? "" : ": ", e.message));
    review.changes.insert(review.changes.end(), changes.begin(), changes.end());
    std::ranges::sort(review.changes);
    if (review.changes.size() > kChangesMost)
        review.changes.erase(review.changes.begin(),
                             review.changes.end() - std::ptrdiff_t{kChangesMost});
}

} // namespace

ExitCode print_review(const Paths& paths, Format format) {
    const std::time_t now = std::time(nullptr);
    const auto wall = [](std::time_t when) { return WallTime{std::chrono::seconds(when)}; };
    const LogSpan span{
        .before = wall(now - 2 * kWeek), .from = wall(now - kWeek), .to = wall(now + 1)};
    drift::Review review;
    review.host = host_name();
    review.from = rfc3339(now - kWeek);
    review.to = rfc3339(now);
    add_status(paths, review);
    read_log(paths.events_log(), span, review);
    add_changes(paths, review);
    Result<drift::Report> report = find_drift(paths);
    if (report)
        review.drift = *std::move(report);
    else
        review.drift_failed = report.error().text() +
                              (report.error().hint.empty() ? "" : "; next: " + report.error().hint);
    if (format == Format::json)
        print_json(drift::to_json(review));
    else
        print_data(drift::render(review));
    if (!review.drift) return exit_code_of(report.error().kind);
    return drift::has_drift(*review.drift) ? ExitCode::no : ExitCode::done;
}

} // namespace sallyport
