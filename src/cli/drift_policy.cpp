// SPDX-License-Identifier: Apache-2.0
// The policy's file against the policy in force, and that against the kernel's maps.
#include "cli/drift_world.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace sallyport {
namespace {

using drift::Finding;
using drift::Level;

constexpr std::size_t kNamesShown = 10;

template <typename T> bool is_same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool is_same(const MapImage& a, const MapImage& b) {
    return std::memcmp(&a.slot, &b.slot, sizeof a.slot) == 0 && is_same(a.ports, b.ports) &&
           is_same(a.cells, b.cells) && is_same(a.v4_bits, b.v4_bits) &&
           is_same(a.v6_bits, b.v6_bits) && is_same(a.v4_trie, b.v4_trie) &&
           is_same(a.v6_trie, b.v6_trie) && is_same(a.rules, b.rules) &&
           is_same(a.limits, b.limits) && is_same(a.cgroup_steps, b.cgroup_steps) &&
           is_same(a.cgroup_states, b.cgroup_states) && is_same(a.users, b.users);
}

std::set<std::pair<std::string, std::string>> rules_of(const Policy& policy) {
    std::set<std::pair<std::string, std::string>> names;
    for (const Rule& rule : policy.rules)
        names.emplace(fmt::format("{}{}", to_string(rule.direction), rule.deny ? " deny" : ""),
                      rule.name);
    return names;
}

void name_rules(const Policy& file, const Policy& loaded, Finding& finding) {
    const auto in_file = rules_of(file), in_force = rules_of(loaded);
    const auto add = [&](const auto& some, const auto& others, const char* where) {
        for (const auto& [direction, name] : some) {
            if (others.contains({direction, name})) continue;
            if (finding.details.size() < kNamesShown)
                finding.details.push_back(
                    fmt::format("only {}: {} rule \"{}\"", where, direction, name));
            else
                finding.more++;
        }
    };
    add(in_file, in_force, "in the file");
    add(in_force, in_file, "in force");
    if (finding.details.empty())
        finding.details.emplace_back("both have rules of the same names; settings, networks or "
                                     "ports may differ");
}

Finding about_file(const std::string& file, std::string text, std::string next) {
    return {.id = "file",
            .about = file,
            .level = Level::drift,
            .text = std::move(text),
            .details = {},
            .more = 0,
            .next = std::move(next)};
}

std::vector<std::string> changed_files(const PolicyText& now, const PolicyText& kept) {
    std::vector<std::string> changed;
    for (const auto& [path, content] : now.files) {
        const auto before = kept.files.find(path);
        if (before == kept.files.end() || before->second != content) changed.push_back(path);
    }
    return changed;
}

Status compare_file(const StandingWall& wall, const PolicySource& kept, const MapImage& image,
                    drift::Report& report) {
    const std::string& file = wall.enforced.file;
    const std::string load = "sallyport apply " + file;
    PolicyText text;
    const Result<ParsedPolicy> now = load_policy(file, &text);
    if (!now) {
        report.findings.push_back(
            about_file(file, "it cannot be read: " + now.error().text(),
                       "what was loaded of it is kept: sallyport history; rollback takes it up"));
        return {};
    }
    const auto bad = std::ranges::find(now->diagnostics, Severity::error, &Diagnostic::severity);
    if (!now->policy && bad != now->diagnostics.end()) {
        report.findings.push_back(about_file(
            file,
            fmt::format("it has errors since it was loaded: line {}: {}", bad->line, bad->message),
            "sallyport check " + file));
        return {};
    }
    if (now->sha256 != kept.sha256) {
        Finding finding =
            about_file(file, "it is another text than the one that was loaded from it", load);
        if (now->policy) name_rules(*now->policy, kept.policy, finding);
        report.findings.push_back(std::move(finding));
        return {};
    }
    std::vector<std::string> changed =
        kept.text ? changed_files(text, *kept.text) : std::vector<std::string>{};
    if (changed.empty() || !now->policy) return {};
    // A list of bans is followed as it changes, and the tables do not have it.
    const PolicySource anew{.policy = *now->policy,
                            .file = file,
                            .sha256 = now->sha256,
                            .by = {},
                            .contents = {},
                            .text = nullptr};
    const Result<MapImage> other = compiled_again(anew, wall.enforced, image.slot.generation);
    if (other && is_same(*other, image)) return {};
    Finding finding = about_file(file, "files of its zones have changed since it was loaded", load);
    for (std::string& path : changed) {
        if (finding.details.size() < kNamesShown)
            finding.details.push_back(std::move(path));
        else
            finding.more++;
    }
    report.findings.push_back(std::move(finding));
    return {};
}

void lost_policy(const Error& why, const std::string& which, drift::Report& report) {
    report.findings.push_back({.id = "record",
                               .about = which,
                               .level = Level::drift,
                               .text = "its maps cannot be compared: " + why.text(),
                               .details = {},
                               .more = 0,
                               .next = why.hint});
}

// What the programs go back to when the trial is not confirmed.
Status compare_fallback(const StandingWall& wall, const Paths& paths, drift::Report& report) {
    if (wall.control.phase != TrialPhase::runs) return {};
    const Result<std::optional<Enforced>> good = load_settled(paths.state_dir);
    const auto source = good && *good ? kept_policy_of(**good, paths)
                                      : fail(ErrorKind::not_found, "there is no record of it",
                                             "sallyport confirm, or sallyport rollback");
    const auto image = source ? compiled_again(*source, **good, (*good)->generation)
                              : fail(ErrorKind::not_found, "");
    if (!source || !image) {
        lost_policy(source ? image.error() : source.error(), "the fallback", report);
        return {};
    }
    return compare_slot(wall, wall.control.other, *image, *source, report);
}

} // namespace

Status compare_policies(const StandingWall& wall, const Paths& paths, drift::Report& report) {
    if (wall.enforced.panic || is_panic(wall.slot, wall.control)) {
        report.findings.push_back({.id = "map",
                                   .about = "panic",
                                   .level = Level::note,
                                   .text = "a panic is on, whose policy is not kept: its tables "
                                           "are not compared",
                                   .details = {},
                                   .more = 0,
                                   .next = "sallyport panic --off"});
        return compare_fallback(wall, paths, report);
    }
    const Result<PolicySource> source = kept_policy_of(wall.enforced, paths);
    if (!source) {
        lost_policy(source.error(), "the policy in force", report);
        return {};
    }
    const Result<MapImage> image = compiled_again(*source, wall.enforced, wall.slot.generation);
    if (!image) {
        lost_policy(image.error(), "the policy in force", report);
        return {};
    }
    SP_TRY(compare_file(wall, *source, *image, report));
    SP_TRY(compare_slot(wall, wall.control.slot, *image, *source, report));
    SP_TRY(compare_machine(wall, *image, report));
    return compare_fallback(wall, paths, report);
}

} // namespace sallyport
