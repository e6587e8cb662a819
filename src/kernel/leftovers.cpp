// SPDX-License-Identifier: Apache-2.0
#include "kernel/leftovers.h"

#include "base/fd.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <thread>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

void add(std::vector<Pinned>& found, Pinned one) {
    const auto is_same = [&](const Pinned& other) {
        return other.kind == one.kind && other.id == one.id;
    };
    if (one.id != 0 && std::ranges::none_of(found, is_same)) found.push_back(std::move(one));
}

// What the kernel says of a descriptor of its own: "link_id:\t7", "prog_id:\t9". A map has neither.
void add_held(std::vector<Pinned>& found, const Fd& held, const std::string& pin) {
    std::ifstream info(fmt::format("/proc/self/fdinfo/{}", held.get()));
    std::string key;
    std::string value;
    while (info >> key && std::getline(info, value)) {
        const bool is_link = key == "link_id:";
        if (!is_link && key != "prog_id:") continue;
        add(found, {.kind = is_link ? KernelObject::link : KernelObject::program,
                    .id = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10)),
                    .pin = pin});
    }
}

bool is_there(const Pinned& one) {
    const Fd held(one.kind == KernelObject::link ? bpf_link_get_fd_by_id(one.id)
                                                 : bpf_prog_get_fd_by_id(one.id));
    return held || errno != ENOENT;
}

} // namespace

Result<std::vector<Pinned>> pinned_below(const std::string& directory) {
    std::vector<Pinned> found;
    std::error_code error;
    if (!fs::exists(directory, error) && !error) return found;
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (at->is_directory(ignored)) continue;
        const Fd held(bpf_obj_get(at->path().c_str()));
        if (held) add_held(found, held, at->path().string());
    }
    if (error) return fail_errno(error.value(), "reading " + directory);
    return found;
}

std::vector<Pinned> still_there(const std::vector<Pinned>& pinned,
                                std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
        std::vector<Pinned> left;
        std::ranges::copy_if(pinned, std::back_inserter(left), is_there);
        if (left.empty() || std::chrono::steady_clock::now() >= until) return left;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

} // namespace sallyport
