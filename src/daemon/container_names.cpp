// SPDX-License-Identifier: Apache-2.0
#include "daemon/container_names.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace sallyport {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kLookAgain{10};
constexpr std::size_t kMost = std::size_t{16} << 20; // bytes of a file; Podman's has all of them

json read_json(const std::string& path) {
    const std::optional<std::string> text = read_small_file(path, kMost);
    return text ? json::parse(*text, nullptr, false) : json();
}

std::string text_in(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string docker_name(const std::string& root, const std::string& id) {
    std::string name = text_in(
        read_json(fmt::format("{}/var/lib/docker/containers/{}/config.v2.json", root, id)), "Name");
    return name.starts_with('/') ? name.substr(1) : name;
}

std::string podman_name(const std::string& root, const std::string& id) {
    constexpr std::array<std::string_view, 2> kFiles{
        "/var/lib/containers/storage/overlay-containers/containers.json",
        "/run/containers/storage/overlay-containers/volatile-containers.json"};
    for (const std::string_view file : kFiles) {
        const json all = read_json(fmt::format("{}{}", root, file));
        if (!all.is_array()) continue;
        for (const json& one : all) {
            if (text_in(one, "id") != id) continue;
            const auto names = one.find("names");
            if (names != one.end() && names->is_array() && !names->empty() &&
                names->front().is_string())
                return names->front().get<std::string>();
        }
    }
    return {};
}

// The annotations of an OCI bundle.
std::string bundle_name(const std::string& bundle) {
    const json config = read_json(bundle + "/config.json");
    if (!config.is_object() || !config.contains("annotations")) return {};
    const json& notes = config["annotations"];
    const auto pod = [&](const char* space, const char* name, const char* container) {
        const std::string its = text_in(notes, name);
        const std::string within = text_in(notes, container);
        if (its.empty()) return std::string();
        return fmt::format("{}/{}{}{}", text_in(notes, space), its, within.empty() ? "" : "/",
                           within);
    };
    std::string found = pod("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name",
                            "io.kubernetes.cri.container-name");
    if (found.empty())
        found = pod("io.kubernetes.pod.namespace", "io.kubernetes.pod.name",
                    "io.kubernetes.container.name");
    return found.empty() ? text_in(notes, "nerdctl/name") : found;
}

std::string search(const std::string& root, const std::string& id) {
    if (std::string name = docker_name(root, id); !name.empty()) return name;
    constexpr std::array<std::string_view, 3> kBundles{
        "/run/containerd/io.containerd.runtime.v2.task/k8s.io/{}",
        "/run/containerd/io.containerd.runtime.v2.task/default/{}",
        "/run/containers/storage/overlay-containers/{}/userdata"};
    for (const std::string_view bundle : kBundles) {
        std::string name = bundle_name(root + fmt::format(fmt::runtime(bundle), id));
        if (!name.empty()) return name;
    }
    return podman_name(root, id);
}

} // namespace

std::string ContainerNames::name_of(const std::string& id, Time now) {
    const auto at = known_.find(id);
    if (at != known_.end() && (!at->second.name.empty() || now - at->second.looked < kLookAgain))
        return at->second.name;
    if (at == known_.end() && known_.size() >= max_entries_) known_.clear();
    Known& known = known_[id];
    known = {.name = search(root_, id), .looked = now};
    return known.name;
}

} // namespace sallyport
