// SPDX-License-Identifier: Apache-2.0
// Pins of other layouts: a wall whose maps this version cannot read, and whose hooks it can take.
#include "kernel/options.h"
#include "kernel/pins.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

// Newer than the headers of Debian 12 (linux/bpf.h of 6.6).
constexpr std::uint32_t kLinkTcx = 11;

// Would `link` run another program where this policy wants one? Other kinds take no new
// program: theirs are attached beside them, before these go.
bool is_to_take(int link, std::uint64_t cgroup) {
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(link, &info, &size) != 0) return false;
    if (info.type == BPF_LINK_TYPE_CGROUP) return info.cgroup.cgroup_id == cgroup;
    return info.type == BPF_LINK_TYPE_XDP || info.type == kLinkTcx;
}

std::vector<fs::path> entries_of(const fs::path& directory) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
        entries.push_back(entry.path());
    std::ranges::sort(entries);
    return entries;
}

// Whatever is pinned there: who died while removing one left maps without links.
std::vector<fs::path> layouts_beside(const std::string& directory) {
    std::vector<fs::path> layouts;
    for (const fs::path& path : entries_of(directory)) {
        const std::string name = path.filename().string();
        if (name.size() < 2 || name[0] != 'v' || path.string() == layout_dir_of(directory))
            continue;
        if (std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; }))
            layouts.push_back(path);
    }
    return layouts;
}

Status remove_layout(const fs::path& layout) {
    std::string stuck;
    // Links first: maps without their programs are nobody's, the other way round is a wall.
    for (const char* part : {"links", "programs", "maps", "."}) {
        std::error_code error;
        fs::remove_all((layout / part).lexically_normal(), error);
        if (error && error.value() != ENOENT)
            stuck += fmt::format("{}{}: {}", stuck.empty() ? "" : "; ", (layout / part).string(),
                                 error.message());
    }
    if (!stuck.empty()) return fail(ErrorKind::kernel, "removing another layout's pins: " + stuck);
    return {};
}

} // namespace

std::vector<std::string> other_layouts(const std::string& directory) {
    std::vector<std::string> layouts;
    for (const fs::path& layout : layouts_beside(directory))
        if (!entries_of(layout / "links").empty()) layouts.push_back(layout.string());
    return layouts;
}

Status Pins::take_links(std::uint64_t cgroup) const {
    for (const std::string& layout : other_layouts(directory_)) {
        for (const fs::path& pin : entries_of(fs::path(layout) / "links")) {
            const std::string ours = layout_dir_ + "/links/" + pin.filename().string();
            const Fd held(bpf_obj_get(pin.c_str()));
            std::error_code error;
            if (!held || !is_to_take(held.get(), cgroup) || fs::exists(ours, error)) continue;
            if (bpf_obj_pin(held.get(), ours.c_str()) != 0)
                return fail_errno(errno, "pinning " + pin.string() + " as ours");
        }
    }
    return {};
}

Status Pins::forget_others() const {
    for (const fs::path& layout : layouts_beside(directory_)) SP_TRY(remove_layout(layout));
    return {};
}

Status Pins::remove_others() const {
    for (const fs::path& layout : layouts_beside(directory_)) {
        for (const fs::path& pin : entries_of(layout / "links")) {
            const Fd held(bpf_obj_get(pin.c_str()));
            if (held) static_cast<void>(bpf_link_detach(held.get())); // as clear() does
        }
        SP_TRY(remove_layout(layout));
    }
    remove_if_empty();
    return {};
}

} // namespace sallyport
