// SPDX-License-Identifier: Apache-2.0
#pragma once
// The paths that a policy names, as a tree from the hierarchy's root: that of
// [host] cgroup and those of the cgroup selectors.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// "/a//b/" is a, b.
[[nodiscard]] std::vector<std::string> path_names(std::string_view path);

struct PathNode {
    std::map<std::string, std::uint32_t> children;
    std::vector<std::uint32_t> selectors; // those whose path ends here
    bool leads_to_host = false;           // on the way to [host] cgroup, and not yet there
};

class PathTree {
  public:
    static constexpr std::uint32_t kNowhere = UINT32_MAX; // off every named path
    explicit PathTree(std::string_view host);
    void add_selector(std::string_view path, std::uint32_t selector);
    [[nodiscard]] std::uint32_t child(std::uint32_t node, const std::string& name) const;
    [[nodiscard]] const PathNode& at(std::uint32_t node) const { return nodes_.at(node); }
    [[nodiscard]] std::uint32_t host() const { return host_; }

  private:
    std::uint32_t make_child(std::uint32_t node, const std::string& name);
    std::vector<PathNode> nodes_{1}; // 0 is the root
    std::uint32_t host_ = 0;
};

} // namespace sallyport
