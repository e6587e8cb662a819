// SPDX-License-Identifier: Apache-2.0
// What a cgroup's path says: text to text, no machine.
#include "daemon/owner.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace sallyport {
namespace {

constexpr std::size_t kContainerDigits = 64;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end != 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

bool is_container_id(std::string_view text) {
    return text.size() == kContainerDigits && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

// What follows `path` below `base`; nullopt when it is not below it.
std::optional<std::string_view> below(std::string_view path, std::string_view base) {
    while (base.ends_with('/')) base.remove_suffix(1);
    if (!path.starts_with(base)) return std::nullopt;
    path.remove_prefix(base.size());
    if (!path.empty() && path[0] != '/') return std::nullopt;
    return path;
}

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape_octal(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr ==
                text.data() + i + 4 &&
            value <= 0xff) {
            plain += static_cast<char>(value);
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

} // namespace

std::string unit_of_cgroup(std::string_view path, std::string_view host_cgroup) {
    const auto rest = below(path, host_cgroup);
    if (!rest) return {};
    for (const std::string_view name : split(*rest, '/')) {
        if (name.ends_with(".slice")) continue;
        constexpr std::string_view suffixes[] = {".service", ".scope", ".socket", ".mount",
                                                 ".swap"};
        const bool is_unit =
            std::ranges::any_of(suffixes, [&](std::string_view s) { return name.ends_with(s); });
        return is_unit ? std::string(name) : std::string();
    }
    return {};
}

std::string slice_of_cgroup(std::string_view path, std::string_view host_cgroup) {
    std::string_view slice;
    for (const std::string_view name : split(below(path, host_cgroup).value_or(""), '/')) {
        if (!name.ends_with(".slice")) break;
        slice = name;
    }
    return std::string(slice);
}

SlurmJob slurm_job_of_cgroup(std::string_view path) {
    // .../slurmstepd.scope/job_123/step_0/user/task_0, or NODE_slurmstepd.scope
    const std::vector<std::string_view> names = split(path, '/');
    const auto scope = std::ranges::find_if(
        names, [](std::string_view name) { return name.ends_with("slurmstepd.scope"); });
    if (std::distance(scope, names.end()) < 2) return {};
    std::string_view job = *std::next(scope);
    if (!job.starts_with("job_")) return {};
    job.remove_prefix(4);
    if (job.empty() || !std::ranges::all_of(job, [](char c) { return c >= '0' && c <= '9'; }))
        return {};
    SlurmJob found{.job = std::string(job), .step = {}};
    if (std::distance(scope, names.end()) > 2 && scope[2].starts_with("step_"))
        found.step = scope[2].substr(5);
    return found;
}

std::string container_of_cgroup(std::string_view path) {
    std::string_view parent;
    for (std::string_view name : split(path, '/')) {
        const std::string_view whole = name;
        if (name.ends_with(".scope")) name.remove_suffix(6);
        for (const std::string_view prefix : {"docker-", "libpod-", "crio-", "cri-containerd-"})
            if (name.starts_with(prefix) && is_container_id(name.substr(prefix.size())))
                return std::string(name.substr(prefix.size()));
        const bool is_home = parent == "docker" || parent.starts_with("kubepods") ||
                             parent.starts_with("pod") || parent == "libpod_parent";
        if (is_home && is_container_id(whole)) return std::string(whole);
        parent = whole;
    }
    return {};
}

std::optional<std::string> cgroup2_mount(std::string_view mountinfo) {
    for (const std::string_view line : split(mountinfo, '\n')) {
        // ID PARENT DEV ROOT MOUNTPOINT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS
        const auto fields = split(line, ' ');
        const auto dash = std::ranges::find(fields, "-");
        if (fields.size() < 5 || dash == fields.end() || std::next(dash) == fields.end()) continue;
        if (*std::next(dash) == "cgroup2") return unescape_octal(fields[4]);
    }
    return std::nullopt;
}

} // namespace sallyport
