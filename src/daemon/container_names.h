// SPDX-License-Identifier: Apache-2.0
#pragma once
// The name that a container's engine gave it, by the files that the engine keeps: Docker,
// Podman, CRI-O, and containerd with Kubernetes or nerdctl. No engine is asked: its socket
// is the way to be root, and it may not answer.
#include "base/small_file.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace sallyport {

class ContainerNames {
  public:
    using Time = std::chrono::steady_clock::time_point;
    // `root` is put before the engines' own paths.
    explicit ContainerNames(std::string root = "", std::size_t max_entries = 4096)
        : root_(std::move(root)), max_entries_(max_entries) {}

    // Of a full id, 64 hex digits: "rag"; of a pod's "NAMESPACE/POD/CONTAINER". "" when no
    // file has it. A name that was found is remembered; what was not is looked for again
    // after ten seconds.
    [[nodiscard]] std::string name_of(const std::string& id, Time now);

  private:
    struct Known {
        std::string name;
        Time looked{};
    };
    std::string root_;
    std::size_t max_entries_;
    std::unordered_map<std::string, Known> known_;
};

} // namespace sallyport
