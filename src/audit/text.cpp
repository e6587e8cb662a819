// SPDX-License-Identifier: Apache-2.0
#include "audit/text.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace sallyport::audit {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kNetworksInLine = 3;

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
        while (line.ends_with(' ')) line.pop_back();
        text += line + "\n";
    }
    return text;
}

std::string sources_text(const SourceNames& sources) {
    std::vector<std::string> parts;
    for (const std::string& zone : sources.from) parts.push_back(escaped(zone));
    for (const std::string& zone : sources.partly) parts.push_back("part of " + escaped(zone));
    const std::size_t shown = std::min(sources.networks.size(), kNetworksInLine);
    parts.insert(parts.end(), sources.networks.begin(),
                 sources.networks.begin() + static_cast<std::ptrdiff_t>(shown));
    const std::size_t more = sources.networks.size() - shown + sources.networks_left_out;
    if (more != 0) parts.push_back(fmt::format("{} more networks", more));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string user_of(const Listener& listener) {
    if (!listener.process) return listener.uid == 0 ? "-" : fmt::to_string(listener.uid);
    const Process& process = *listener.process;
    return process.user.empty() ? fmt::to_string(process.uid) : escaped(process.user);
}

std::string process_of(const Listener& listener) {
    if (!listener.process) return "-";
    return fmt::format("{}[{}]", escaped(listener.process->comm), listener.process->pid);
}

std::string home_of(const Listener& listener) {
    if (!listener.process) return "-";
    if (!listener.process->container.empty())
        return "container " + listener.process->container.substr(0, 12);
    return listener.process->unit.empty() ? "-" : escaped(listener.process->unit);
}

Row row_of(const Judged& judged, bool is_elsewhere) {
    const Listener& listener = judged.listener;
    const std::string where =
        address_text(listener) +
        (listener.sockets > 1 ? fmt::format(" x{}", listener.sockets) : std::string()) +
        (is_elsewhere ? fmt::format(" in net:[{}]", listener.place) : std::string());
    return {
        to_string(judged.state),    judged.danger == Danger::none ? "-" : to_string(judged.danger),
        proto_name(listener.proto), escaped(where),
        process_of(listener),       user_of(listener),
        home_of(listener),          judged.service ? escaped(judged.service->name) : "-",
        reach_text(judged)};
}

std::string finding_text(const Judged& judged) {
    std::string text = fmt::format("\n{} {}: {}\n", proto_name(judged.listener.proto),
                                   escaped(address_text(judged.listener)), name_of(judged));
    if (judged.service && !judged.service->why.empty())
        text +=
            fmt::format("  {}; asks: {}\n", escaped(judged.service->why),
                        judged.service->auth.empty() ? "not known" : escaped(judged.service->auth));
    for (const Publication& one : judged.published)
        text += fmt::format("  published as port {} by {}\n", one.low, escaped(one.by));
    return text + "  next: " + judged.advice + "\n";
}

std::string wall_text(const Report& report, const std::optional<PolicyNote>& policy) {
    const std::string file = policy ? escaped(policy->file) : std::string();
    switch (report.wall) {
    case Wall::none:
        return policy ? fmt::format("no wall stands: everything below is reachable; declared is "
                                    "what {} says\n",
                                    file)
                      : "no wall stands and there is no policy: nothing is declared\n";
    case Wall::observing:
        return fmt::format("the wall observes and drops nothing; declared is what {} says\n", file);
    case Wall::standing:
        if (!policy || !policy->is_changed)
            return fmt::format("judged by {}, which stands\n", file);
        return fmt::format("judged by {} {}\n", file,
                           policy->is_kept ? "as it stands; the file has changed since"
                                           : "as the file is now; another version of it stands");
    case Wall::assumed:
        return fmt::format("judged as if {} stood\n", file);
    }
    return {};
}

} // namespace

std::string name_of(const Judged& judged) {
    if (judged.service) return escaped(judged.service->title);
    if (!judged.listener.process) return "no process that can be seen";
    return escaped(judged.listener.process->comm);
}

std::string reach_text(const Judged& judged) {
    // Interfaces that the same may use are told together.
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    for (const Way& way : judged.ways) {
        std::string who = sources_text(way.sources);
        std::string by = way.interface.empty() ? "routing" : escaped(way.interface);
        if (way.how == "published") by += fmt::format(" port {}", way.port);
        if (way.how == "routed" && !way.interface.empty()) by += " routed";
        if (way.shield == Shield::none) by += " (not guarded)";
        const auto at = std::ranges::find(groups, who, &decltype(groups)::value_type::first);
        if (at == groups.end())
            groups.push_back({who, {by}});
        else
            at->second.push_back(by);
    }
    if (groups.empty()) return "-";
    std::vector<std::string> texts;
    for (const auto& [who, by] : groups)
        texts.push_back(fmt::format("{} by {}", who, fmt::join(by, ", ")));
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::string one_line(const Judged& judged) {
    const Listener& listener = judged.listener;
    const std::string danger =
        judged.danger == Danger::none ? "" : fmt::format(", {}", to_string(judged.danger));
    return fmt::format("new {} {} {} ({}, {}, {}) {}{}; from: {}", proto_name(listener.proto),
                       escaped(address_text(listener)), name_of(judged), process_of(listener),
                       user_of(listener), home_of(listener), to_string(judged.state), danger,
                       reach_text(judged));
}

std::string render(const Report& report, const Machine& machine,
                   const std::optional<PolicyNote>& policy) {
    std::string text = wall_text(report, policy);
    std::vector<Row> rows{
        {"STATE", "DANGER", "PROTO", "ADDRESS", "PROCESS", "USER", "UNIT", "SERVICE", "FROM"}};
    for (const Judged& judged : report.listeners)
        rows.push_back(row_of(judged, !machine.places.empty() &&
                                          judged.listener.place != machine.places.front().inode));
    text += table(rows);
    for (const Judged& judged : report.listeners)
        if (!judged.advice.empty()) text += finding_text(judged);
    for (const std::string& note : machine.nat.notes) text += "\nnot known: " + escaped(note);
    for (const std::string& note : machine.unseen) text += "\nnot seen: " + escaped(note);
    if (!machine.nat.notes.empty() || !machine.unseen.empty()) text += "\n";
    text += fmt::format("\n{} listening, {} reachable that no rule declares\n",
                        report.listeners.size(), report.findings());
    return text;
}

} // namespace sallyport::audit
