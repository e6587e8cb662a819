// SPDX-License-Identifier: Apache-2.0
#include "cli/status_text.h"

#include "base/text.h"
#include "base/version.h"
#include "event/names.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace sallyport {
namespace {

using Row = std::vector<std::string>;
enum class Align : unsigned char { left, right };

// Columns as wide as their widest cell; nothing for a table without rows.
std::string render_table(const std::string& title, const Row& head,
                         const std::vector<Align>& aligns, const std::vector<Row>& rows) {
    if (rows.empty()) return {};
    std::vector<std::size_t> widths(head.size());
    const auto widen = [&](const Row& row) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    };
    widen(head);
    for (const Row& row : rows) widen(row);
    std::string text = "\n" + title + "\n";
    const auto add = [&](const Row& row) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += aligns[i] == Align::left ? fmt::format("  {:<{}}", row[i], widths[i])
                                             : fmt::format("  {:>{}}", row[i], widths[i]);
        while (line.ends_with(' ')) line.pop_back();
        text += line + "\n";
    };
    add(head);
    for (const Row& row : rows) add(row);
    return text;
}

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : escaped(text);
}

std::string headline(const StatusView& status, Colour colour) {
    std::string line = "NOT protected";
    std::string_view paint = "\033[1;37;41m";
    if (status.state == "protected") {
        line = "protected";
        paint = "\033[1;32m";
    } else if (status.state == "observing") {
        line = "observing: nothing is dropped";
        paint = "\033[1;33m";
    }
    if (!status.why.empty()) line += ": " + escaped(status.why);
    if (colour == Colour::never) return line + "\n";
    return fmt::format("{}{}\033[0m\n", paint, line);
}

std::string trial_text(const nlohmann::json& trial) {
    const std::string what = trial.value("panic", false) ? "PANIC, all is shut" : "on trial";
    const auto left = trial.find("seconds_left");
    if (left == trial.end() || !left->is_number()) return ", " + what;
    return fmt::format(", {}, {} s left", what, left->get<std::uint64_t>());
}

std::string policy_line(const StatusView& status) {
    if (status.generation == 0) return "policy  none\n";
    std::string line =
        fmt::format("policy  {}, generation {}", or_dash(status.policy_file), status.generation);
    if (!status.policy_sha256.empty())
        line += fmt::format(", sha256 {}", escaped(status.policy_sha256.substr(0, 12)));
    if (!status.policy_applied.empty()) line += ", applied " + escaped(status.policy_applied);
    if (!status.policy_by.empty()) line += " by " + escaped(status.policy_by);
    if (!status.trial.is_null()) line += trial_text(status.trial);
    return line + "\n";
}

// A daemon that was not restarted after an update answers as its own version does.
std::string version_line(const StatusView& status) {
    if (status.version.empty() || status.version == own_version()) return {};
    return fmt::format("daemon  version {}, this command {}: systemctl restart sallyport\n",
                       escaped(status.version), own_version());
}

std::string hooks_table(const StatusView& status) {
    std::vector<Row> rows;
    for (const HookStatus& hook : status.hooks)
        rows.push_back({escaped(hook.hook), or_dash(hook.iface), or_dash(hook.mode),
                        hook.attached ? "attached" : "MISSING", fmt::to_string(hook.admitted),
                        fmt::to_string(hook.dropped)});
    constexpr auto L = Align::left, R = Align::right;
    return render_table("hooks", {"HOOK", "INTERFACE", "MODE", "STATE", "ADMITTED", "DROPPED"},
                        {L, L, L, L, R, R}, rows);
}

std::string rules_table(const StatusView& status) {
    std::vector<Row> rows;
    for (const RuleStatus& rule : status.rules)
        rows.push_back({escaped(rule.name), escaped(rule.direction), fmt::to_string(rule.admitted),
                        fmt::to_string(rule.denied), fmt::to_string(rule.limited),
                        fmt::to_string(rule.bytes)});
    constexpr auto L = Align::left, R = Align::right;
    return render_table("rules", {"RULE", "DIRECTION", "ADMITTED", "DENIED", "LIMITED", "BYTES"},
                        {L, L, R, R, R, R}, rows);
}

std::string reasons_table(const StatusView& status) {
    std::vector<std::pair<std::string, std::uint64_t>> sorted(status.reasons.begin(),
                                                              status.reasons.end());
    std::ranges::sort(sorted, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::vector<Row> rows;
    for (const auto& [name, count] : sorted) {
        const auto number = parse_reason(name);
        rows.push_back({escaped(name), fmt::to_string(count),
                        number ? std::string(reason_meaning(*number)) : std::string()});
    }
    return render_table("drops", {"REASON", "PACKETS", "MEANING"},
                        {Align::left, Align::right, Align::left}, rows);
}

std::string sockets_table(const StatusView& status) {
    if (!status.packet_sockets) return {};
    std::vector<Row> rows;
    for (const PacketSocketStatus& socket : *status.packet_sockets)
        rows.push_back({fmt::to_string(socket.pid), or_dash(socket.comm), or_dash(socket.cgroup),
                        escaped(socket.family), or_dash(socket.ethertype),
                        socket.netns == "host" ? or_dash(socket.iface) : "(other namespace)",
                        socket.qdisc_bypass || socket.family == "xdp" ? "yes" : "-"});
    constexpr auto L = Align::left, R = Align::right;
    return render_table("packet sockets",
                        {"PID", "COMMAND", "CGROUP", "FAMILY", "HEARS", "INTERFACE", "BYPASS"},
                        {R, L, L, L, L, L, L}, rows);
}

std::string jails_table(const StatusView& status) {
    std::vector<Row> rows;
    for (const JailStatus& jail : status.jails)
        rows.push_back({escaped(jail.name), fmt::to_string(jail.lines),
                        fmt::to_string(jail.matched), fmt::to_string(jail.bans),
                        fmt::to_string(jail.files.size()), or_dash(jail.why)});
    constexpr auto L = Align::left, R = Align::right;
    return render_table("jails", {"JAIL", "LINES", "MATCHED", "BANS", "FILES", "WHY NOT"},
                        {L, R, R, R, R, L}, rows);
}

} // namespace

std::string render_status(const StatusView& status, Colour colour) {
    std::string text = headline(status, colour) + policy_line(status) + version_line(status);
    if (!status.waiting.empty()) {
        std::vector<std::string> names;
        for (const std::string& name : status.waiting) names.push_back(escaped(name));
        text += fmt::format("waiting for {}\n", fmt::join(names, ", "));
    }
    text += hooks_table(status) + rules_table(status) + reasons_table(status);
    text += sockets_table(status) + jails_table(status);
    text += fmt::format("\nflows   {} of {}, {} refused\n", status.flow_entries, status.flow_max,
                        status.flow_refused);
    if (status.challenged != 0)
        text += fmt::format("asked   {} times for a proof{}\n", status.challenged,
                            status.proofs_lost == 0 ? ""
                                                    : fmt::format(", {} lost", status.proofs_lost));
    if (status.cookies_sent != 0)
        text += fmt::format("cookies {} sent, {} came back\n", status.cookies_sent,
                            status.cookies_taken);
    text += fmt::format("bans    {}\n", status.bans_active);
    std::string lost;
    for (const auto& [where, count] : status.events_lost_by)
        if (count != 0) lost += fmt::format("{}{} {}", lost.empty() ? " (" : ", ", where, count);
    text += fmt::format("events  {} sent, {} folded, {} lost{}\n", status.events_sent,
                        status.events_folded, status.events_lost, lost.empty() ? "" : lost + ")");
    std::vector<std::string> blind;
    for (const std::string& spot : status.blind) blind.push_back(escaped(spot));
    return text + fmt::format("blind   {}\n", blind.empty()
                                                  ? "none known"
                                                  : fmt::format("{}", fmt::join(blind, ", ")));
}

} // namespace sallyport
