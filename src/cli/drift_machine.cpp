// SPDX-License-Identifier: Apache-2.0
// What the programs are told of this machine, as far as a policy's verdicts rest on it: its
// interfaces, its own addresses, its cgroups.
#include "cli/drift_machine.h"

#include "cli/drift_world.h"
#include "daemon/wall.h"
#include "drift/entries.h"
#include "kernel/cgroups.h"
#include "kernel/filters.h"
#include "kernel/map.h"
#include "kernel/table_reader.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <thread>

namespace sallyport {
namespace {

using drift::Differences;
using drift::Finding;

constexpr std::uint16_t kNoClass = 0xffff; // shut until the policy is compiled for it
constexpr auto kPause = std::chrono::milliseconds(300);

class Interfaces {
  public:
    Interfaces(const StandingWall& wall, const std::vector<Interface>& now, const MapImage& image)
        : wall_(wall), now_(now), image_(image) {}

    [[nodiscard]] Result<Differences> compare() {
        for (const Interface& one : now_) {
            if (one.is_loopback || one.index >= SP_IFINDEX_MAX) continue;
            const auto entry = SP_TRY(map_lookup<sp_iface>(wall_.maps.maps.ifaces, one.index));
            found_.seen++;
            compare_one(one, entry.value_or(sp_iface{}));
        }
        return std::move(found_);
    }

  private:
    void differs(const Interface& one, const std::string& what, unsigned have, unsigned want) {
        if (have != want)
            found_.note(found_.different, fmt::format("different: {}: {} is {} instead of {}",
                                                      one.name, what, have, want));
    }
    void compare_one(const Interface& one, const sp_iface& entry) {
        differs(one, "link type", entry.link, one.link);
        if (!std::equal(one.mac.begin(), one.mac.end(), entry.mac))
            found_.note(found_.different, fmt::format("different: {}: MAC address", one.name));
        // A renamed NIC stays guarded till the next policy: its pin tells.
        if (entry.guarded == 0 || !has_hooks(one))
            differs(one, "guarded", entry.guarded, wall_.is_to_guard(one) ? 1 : 0);
        const auto counter = wall_.enforced.nic_counters.find(one.name);
        if (entry.guarded != 0 && counter != wall_.enforced.nic_counters.end())
            differs(one, "counter", entry.counter, counter->second);
        differs(one, "mark of a port", (entry.marks & SP_IFACE_PORT) != 0 ? 1 : 0,
                one.master != 0 ? 1 : 0);
        if ((entry.marks & SP_IFACE_JUDGES_ROUTED) != 0 && !filter_stands(one.index, true))
            found_.note(found_.different,
                        fmt::format("different: {}: said to judge what it hands over", one.name));
        const std::uint16_t have = entry.iface_class[wall_.control.slot % SP_SLOTS];
        if (have != kNoClass && have != class_of(one) && have != class_of(top_of(one)))
            differs(one, "class", have, class_of(one));
    }
    [[nodiscard]] bool has_hooks(const Interface& one) const {
        std::error_code error;
        for (const char* kind : {"/links/xdp-native-", "/links/xdp-generic-"})
            if (std::filesystem::exists(wall_.layout + kind + file_of_pin(one.name), error))
                return true;
        return false;
    }
    [[nodiscard]] std::uint16_t class_of(const Interface& one) const {
        const auto at = std::ranges::find(image_.interfaces, one.name, &InterfaceClass::name);
        if (at != image_.interfaces.end()) return at->number;
        return image_.slot.n_ifaces > 1 ? kNoClass : 0;
    }
    // As what it hands over is judged before 6.4.
    [[nodiscard]] const Interface& top_of(const Interface& one) const {
        const auto master = std::ranges::find(now_, one.master, &Interface::index);
        return one.master == 0 || master == now_.end() ? one : *master;
    }

    const StandingWall& wall_;
    const std::vector<Interface>& now_;
    const MapImage& image_;
    Differences found_;
};

// Addresses of other namespaces are no matter of verdicts that let in: they come and go with
// containers, and are left out.
Result<Differences> compare_own(const StandingWall& wall, const std::vector<Interface>& now) {
    constexpr std::uint32_t kOwn = SP_LOCAL_HOST | SP_LOCAL_BROADCAST;
    std::map<Address, std::uint32_t> wanted;
    for (const Interface& interface : now)
        for (const InterfaceAddress& one : interface.addresses) wanted[one.address] |= one.kind;
    Differences found;
    const int map = wall.maps.maps.local;
    const MapShape shape = SP_TRY(shape_of(map));
    SP_TRY(each_entry(map, shape, [&](const std::byte* key, const std::byte* value, std::size_t) {
        Address address;
        std::memcpy(address.bytes.data(), key, address.bytes.size());
        std::uint32_t kind = 0;
        std::memcpy(&kind, value, sizeof kind);
        kind &= kOwn;
        found.seen++;
        const auto at = wanted.find(address);
        if (at == wanted.end() && kind != 0)
            found.note(found.extra, fmt::format("too many: {}, kind {}", to_string(address), kind));
        if (at == wanted.end()) return;
        if (at->second != kind)
            found.note(found.different, fmt::format("different: {}: kind {} instead of {}",
                                                    to_string(address), kind, at->second));
        wanted.erase(at);
    }));
    for (const auto& [address, kind] : wanted)
        found.note(found.missing, fmt::format("missing: {}, kind {}", to_string(address), kind));
    return found;
}

// Cgroups that end while they are walked are gone for the kernel too.
Result<Differences> compare_cgroups(const StandingWall& wall, const MapImage& image) {
    Differences found;
    const auto take = [&](std::uint64_t id, std::uint32_t state,
                          const std::string& path) -> Status {
        const sp_cg_key key{.cgroup = id, .slot = wall.control.slot, .spare = 0};
        const auto have = SP_TRY(map_lookup<std::uint32_t>(wall.maps.maps.cgroups, key));
        std::error_code error;
        if (!have && !std::filesystem::exists(path, error)) return {};
        found.seen++;
        if (!have && std::ranges::count(path, '/') < SP_CG_DEPTH_MAX)
            found.note(found.missing, fmt::format("missing: {}", path));
        if (have && *have != state + 1)
            found.note(found.different, fmt::format("different: {}: state {} instead of {}", path,
                                                    *have - 1, state));
        return {};
    };
    SP_TRY(each_cgroup_state(image, find_cgroup_mount(), take));
    return found;
}

} // namespace

void let_it_settle() {
    std::this_thread::sleep_for(kPause);
}

void tell_differences(const std::string& map, const Differences& found, const StandingWall& wall,
                      drift::Report& report) {
    report.compared.maps++;
    report.compared.entries += found.seen;
    for (Finding& one : drift::finding_of(map, found, "")) {
        one.text =
            fmt::format("{} entries are missing, {} are too many, {} have another value than "
                        "this machine and its records give them",
                        found.missing, found.extra, found.different);
        one.next = wall.has_daemon
                       ? "restart sallyport run, which writes them anew"
                       : "start sallyport run, which writes them anew and follows the machine";
        report.findings.push_back(std::move(one));
    }
}

Status compare_twice(const std::string& map, const StandingWall& wall, drift::Report& report,
                     const std::function<Result<Differences>()>& compare) {
    Differences found = SP_TRY(compare());
    if (found.count() != 0) {
        let_it_settle();
        found = SP_TRY(compare());
    }
    tell_differences(map, found, wall, report);
    return {};
}

Status compare_machine(const StandingWall& wall, const MapImage& image, drift::Report& report) {
    const Maps& maps = wall.maps.maps;
    const auto interfaces = [&]() -> Result<Differences> {
        const std::vector<Interface> now = SP_TRY(list_interfaces());
        return Interfaces(wall, now, image).compare();
    };
    const auto own = [&]() -> Result<Differences> {
        const std::vector<Interface> now = SP_TRY(list_interfaces());
        return compare_own(wall, now);
    };
    if (maps.ifaces >= 0) SP_TRY(compare_twice("sp_ifaces", wall, report, interfaces));
    if (maps.local >= 0) SP_TRY(compare_twice("sp_local", wall, report, own));
    if (maps.cgroups < 0) return {};
    return compare_twice("sp_cgroups", wall, report, [&] { return compare_cgroups(wall, image); });
}

} // namespace sallyport
