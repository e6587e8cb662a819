// SPDX-License-Identifier: Apache-2.0
// A plain tree of names.
#include "compile/cgroup_paths.h"

namespace sallyport {

std::vector<std::string> path_names(std::string_view path) {
    std::vector<std::string> names;
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        path.remove_prefix(name.size() < path.size() ? name.size() + 1 : path.size());
        if (!name.empty()) names.emplace_back(name);
    }
    return names;
}

PathTree::PathTree(std::string_view host) {
    for (const std::string& name : path_names(host)) {
        nodes_[host_].leads_to_host = true;
        host_ = make_child(host_, name);
    }
}

void PathTree::add_selector(std::string_view path, std::uint32_t selector) {
    std::uint32_t node = 0;
    for (const std::string& name : path_names(path)) node = make_child(node, name);
    nodes_[node].selectors.push_back(selector);
}

std::uint32_t PathTree::child(std::uint32_t node, const std::string& name) const {
    if (node == kNowhere) return kNowhere;
    const auto found = nodes_[node].children.find(name);
    return found == nodes_[node].children.end() ? kNowhere : found->second;
}

std::uint32_t PathTree::make_child(std::uint32_t node, const std::string& name) {
    const auto fresh = static_cast<std::uint32_t>(nodes_.size());
    const std::uint32_t number = nodes_[node].children.try_emplace(name, fresh).first->second;
    if (number == fresh) nodes_.emplace_back();
    return number;
}

} // namespace sallyport
