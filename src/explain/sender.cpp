// SPDX-License-Identifier: Apache-2.0
#include "explain/sender.h"

#include "base/text.h"
#include "kernel/map.h"
#include "sallyport/abi/types.h"

#include <cstring>
#include <filesystem>

namespace sallyport::explain {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 32;

// Units lie below slices alone.
std::optional<std::string> search(const std::string& root, const std::string& below,
                                  const std::string& unit, int depth) {
    std::error_code error;
    const std::string found = below + "/" + unit;
    if (fs::is_directory(root + found, error)) return found;
    if (depth == kDeepest) return std::nullopt;
    for (const fs::directory_entry& entry : fs::directory_iterator(root + below, error)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(".slice") || !entry.is_directory(error)) continue;
        if (auto deeper = search(root, below + "/" + name, unit, depth + 1)) return deeper;
    }
    return std::nullopt;
}

bool is_plain_name(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

} // namespace

bool is_below(const std::string& path, const std::string& ancestor) {
    return ancestor == "/" || path == ancestor || path.starts_with(ancestor + "/");
}

Result<std::optional<std::string>> find_cgroup(const Sender& sender, const std::string& mount,
                                               const std::string& host_cgroup) {
    if (sender.unit.empty() && sender.cgroup.empty()) return std::optional<std::string>{};
    if (!sender.cgroup.empty()) {
        const bool plain =
            sender.cgroup.starts_with('/') && sender.cgroup.find("/..") == std::string::npos;
        std::error_code error;
        if (!plain || !fs::is_directory(mount + sender.cgroup, error))
            return fail(ErrorKind::invalid_input, "no cgroup " + escaped(sender.cgroup),
                        "its path below the hierarchy's root, as in /system.slice/rag.service");
        std::string path = sender.cgroup;
        while (path.size() > 1 && path.ends_with('/')) path.pop_back();
        return std::optional{path};
    }
    const std::string start = host_cgroup == "/" ? "" : host_cgroup;
    std::optional<std::string> path;
    if (is_plain_name(sender.unit)) path = search(mount, start, sender.unit, 0);
    if (!path)
        return fail(ErrorKind::invalid_input, "no unit " + escaped(sender.unit) + " runs here",
                    "the kernel knows a unit by its cgroup: start it, or name another");
    return path;
}

Result<bool> is_for_host(int local, const Address& address) {
    const bool group = address.is_v4() ? address.bytes[12] >> 4 == 14 : address.bytes[0] == 0xff;
    if (group || address == Address::v4(0xffffffff)) return true;
    sp_addr key{};
    std::memcpy(key.bytes, address.bytes.data(), sizeof(key.bytes));
    const std::optional<std::uint32_t> kind = SP_TRY(map_lookup<std::uint32_t>(local, key));
    return kind && (*kind & (SP_LOCAL_HOST | SP_LOCAL_BROADCAST)) != 0;
}

} // namespace sallyport::explain
