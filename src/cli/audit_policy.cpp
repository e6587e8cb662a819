// SPDX-License-Identifier: Apache-2.0
// By which policy, and with what known of services, an audit judges.
#include "cli/audit_world.h"
#include "daemon/history.h"
#include "daemon/pins_status.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sallyport {
namespace {

using namespace audit;
namespace fs = std::filesystem;

constexpr const char* kDefaultPolicy = "/etc/sallyport/policy.toml";
constexpr std::uintmax_t kCatalogueFileMost = 1 << 20;

Diagnostic about_file(const std::string& file, Severity severity, std::string message) {
    return {.severity = severity,
            .file = file,
            .line = 0,
            .column = 0,
            .message = std::move(message),
            .hint = {},
            .source = {}};
}

void read_catalogue(const std::string& directory, LoadedCatalogue& loaded) {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (at->path().extension() == ".toml") files.push_back(at->path());
    if (error) return;
    loaded.is_found = true;
    std::ranges::sort(files);
    for (const fs::path& file : files) {
        std::error_code unread;
        const std::uintmax_t size = fs::file_size(file, unread);
        if (unread || size > kCatalogueFileMost) {
            loaded.diagnostics.push_back(about_file(
                file, Severity::error, unread ? unread.message() : "it is larger than 1 MiB"));
            continue;
        }
        std::ifstream in(file, std::ios::binary);
        std::ostringstream text;
        text << in.rdbuf();
        if (auto services = parse_services(text.str(), file, loaded.diagnostics))
            loaded.catalogue.services.insert(loaded.catalogue.services.end(), services->begin(),
                                             services->end());
    }
}

// Of a wall that stands: what was kept of the policy that is in force; nullopt when there is none.
std::optional<ParsedPolicy> kept_policy(const StatusView& status, const Paths& paths) {
    const std::optional<HistoryEntry> found =
        entry_in_force(paths.state_dir, status.generation, status.policy_sha256);
    const auto source = found ? PolicyHistory(paths.state_dir).load(*found)
                              : fail(ErrorKind::not_found, "none kept");
    if (!source || !source->text) return std::nullopt;
    return parse_again(*source->text, source->file);
}

// nullopt: that wall is none, or may not be asked, and why.
Result<std::optional<StatusView>> ask_wall(const Paths& paths, PolicyInForce& force) {
    auto status = status_from_pins(paths);
    if (!status && status.error().kind == ErrorKind::permission) {
        force.why_none = status.error().text() + ": judged as if no wall stood";
        return std::nullopt;
    }
    if (!status) return std::unexpected<Error>(std::move(status).error());
    if (status->state == "protected")
        force.wall = Wall::standing;
    else if (status->state == "observing")
        force.wall = Wall::observing;
    else {
        force.why_none = status->why;
        return std::nullopt;
    }
    if (status->policy_file.empty())
        return fail(ErrorKind::not_found,
                    "a wall stands, and its record does not say by which file",
                    "name the policy with -c FILE");
    return *std::move(status);
}

void take(PolicyInForce& force, ParsedPolicy parsed, const std::string& file) {
    force.diagnostics = std::move(parsed.diagnostics);
    if (!parsed.policy) return;
    force.note = PolicyNote{.file = file, .sha256 = parsed.sha256};
    force.reach.emplace(*std::move(parsed.policy), std::move(parsed.zones));
}

} // namespace

LoadedCatalogue load_catalogue(const std::string& directory) {
    LoadedCatalogue loaded;
    if (!directory.empty()) {
        read_catalogue(directory, loaded);
        return loaded;
    }
    read_catalogue("/etc/sallyport/services", loaded); // the administrator's own come first
    const std::size_t own = loaded.catalogue.services.size();
    for (const char* place : {SP_SERVICES_DIR, "/usr/share/sallyport/services"})
        if (loaded.catalogue.services.size() == own) read_catalogue(place, loaded);
    return loaded;
}

std::string cgroup_of(const PolicyInForce& force) {
    return force.reach ? force.reach->policy().host.cgroup : "/";
}

Result<PolicyInForce> policy_in_force(const std::string& named, const Paths& paths) {
    PolicyInForce force;
    std::optional<StatusView> standing;
    if (!named.empty())
        force.wall = Wall::assumed;
    else
        standing = SP_TRY(ask_wall(paths, force));
    std::string file = standing ? standing->policy_file : named;
    std::error_code error;
    if (file.empty() && fs::exists(kDefaultPolicy, error)) file = kDefaultPolicy;
    if (file.empty()) return force;
    Result<ParsedPolicy> now = load_policy(file);
    std::optional<ParsedPolicy> kept = standing ? kept_policy(*standing, paths) : std::nullopt;
    if (!now && !kept)
        return std::unexpected<Error>(std::move(now).context("the policy to judge by").error());
    const bool is_changed = standing && (!now || now->sha256 != standing->policy_sha256);
    const bool is_kept = kept.has_value();
    take(force, is_kept ? *std::move(kept) : *std::move(now), file);
    if (force.note) force.note->is_changed = is_changed;
    if (force.note) force.note->is_kept = is_kept;
    return force;
}

} // namespace sallyport
