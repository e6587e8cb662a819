// SPDX-License-Identifier: Apache-2.0
// NICs: can XDP run in the driver, and what would it want?
#include "doctor/verdicts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace sallyport::doctor {
namespace {

// Of linux/netdev.h.
constexpr std::uint64_t kBasic = 1, kFrags = 1 << 5;
// More than this does not fit into one page beside what XDP keeps free around a frame.
constexpr unsigned kOnePageMtu = 3498;

// They give each receiving queue of XDP's a sending one out of the same number.
bool halves_queues(std::string_view driver) {
    constexpr std::array<std::string_view, 2> kDrivers{"ena", "gve"};
    return std::ranges::find(kDrivers, driver) != kDrivers.end();
}

Finding about(const NicFacts& nic, const char* id, Level level, std::string text,
              std::string next) {
    return {.id = id,
            .about = nic.name,
            .level = level,
            .text = std::move(text),
            .next = std::move(next)};
}

// Nothing may come in between the generic program and its successor.
std::string to_native(const NicFacts& nic, bool holds_nics) {
    if (nic.generic_pin.empty()) return "see the findings below, then restart sallyport run";
    const std::string again = "bpftool link detach pinned " + nic.generic_pin;
    if (holds_nics)
        return fmt::format("mend what the findings below name, then, while sallyport run runs: "
                           "{}; it attaches its program anew, natively where the driver takes "
                           "it, and nothing comes in meanwhile",
                           again);
    return fmt::format("mend what the findings below name, then, while sallyport run runs, from "
                       "the console: ip link set dev {0} down; {1}; sleep 5; ip link set dev {0} "
                       "up",
                       nic.name, again);
}

Finding mode(const NicFacts& nic, bool holds_nics) {
    const std::string driver = nic.driver.empty() ? "its driver" : nic.driver;
    if (!nic.xdp_program.empty() && !nic.xdp_program.starts_with("sp_xdp"))
        return about(nic, "nic-xdp", Level::fail,
                     fmt::format("the XDP program \"{}\" is attached, which is not ours: it is "
                                 "never replaced, and this NIC cannot be guarded",
                                 nic.xdp_program),
                     fmt::format("end who attached it, or: ip link set dev {} xdp off", nic.name));
    if (nic.xdp_mode == "generic")
        return about(nic, "nic-xdp", nic.is_hardware ? Level::warn : Level::ok,
                     "guarded by generic XDP: after the kernel has made a buffer, slower",
                     nic.is_hardware ? to_native(nic, holds_nics) : "");
    if (!nic.xdp_mode.empty())
        return about(nic, "nic-xdp", Level::ok, fmt::format("guarded by {} XDP", nic.xdp_mode), "");
    if (!nic.xdp_features)
        return about(
            nic, "nic-xdp", Level::ok,
            fmt::format("driver {}; this kernel does not tell whether it runs XDP", driver), "");
    if ((*nic.xdp_features & kBasic) != 0)
        return about(nic, "nic-xdp", Level::ok, fmt::format("{} runs native XDP", driver), "");
    return about(nic, "nic-xdp", nic.is_hardware ? Level::warn : Level::ok,
                 fmt::format("{} does not run XDP: generic XDP is used, slower", driver),
                 nic.is_hardware ? "a NIC whose driver runs XDP, where it must hold a flood" : "");
}

void mtu(const NicFacts& nic, std::vector<Finding>& findings) {
    const bool has_native = nic.xdp_features && (*nic.xdp_features & kBasic) != 0;
    if (!has_native || nic.mtu <= kOnePageMtu) return;
    const bool has_frags = (*nic.xdp_features & kFrags) != 0;
    findings.push_back(
        has_frags
            ? about(nic, "nic-mtu", Level::ok,
                    fmt::format("MTU {}, in several pages, which {} takes", nic.mtu, nic.driver),
                    "")
            : about(nic, "nic-mtu", Level::warn,
                    fmt::format("MTU {}: {} takes no frame of several pages, and may refuse native "
                                "XDP",
                                nic.mtu, nic.driver),
                    fmt::format("ip link set dev {} mtu {}", nic.name, kOnePageMtu)));
}

void queues(const NicFacts& nic, unsigned cpus, std::vector<Finding>& findings) {
    if (nic.combined == 0 || nic.most_combined == 0) return;
    if (halves_queues(nic.driver)) {
        const unsigned half = std::max(1u, nic.most_combined / 2);
        if (nic.combined > half)
            findings.push_back(about(
                nic, "nic-queues", Level::warn,
                fmt::format("{} of {} queues are in use: {} refuses native XDP with more than {}",
                            nic.combined, nic.most_combined, nic.driver, half),
                fmt::format("ethtool -L {} combined {}", nic.name, half)));
        else
            findings.push_back(
                about(nic, "nic-queues", Level::ok,
                      fmt::format("{} of {} queues", nic.combined, nic.most_combined), ""));
        return;
    }
    if (nic.driver != "virtio_net") return;
    if (nic.combined + cpus <= nic.most_combined) {
        findings.push_back(about(nic, "nic-queues", Level::ok,
                                 fmt::format("{} of {} queues", nic.combined, nic.most_combined),
                                 ""));
        return;
    }
    const std::string text = fmt::format(
        "{} of {} queues are in use: virtio_net wants one more for each of {} CPUs, and "
        "without them sends what XDP answers (SYN cookies) by one lock",
        nic.combined, nic.most_combined, cpus);
    findings.push_back(
        about(nic, "nic-queues", Level::warn, text,
              nic.most_combined > cpus
                  ? fmt::format("ethtool -L {} combined {}", nic.name, nic.most_combined - cpus)
                  : "give the virtual machine more queues (of virtio-net: mq=on,vectors=..., "
                    "queues=...)"));
}

} // namespace

void examine_nics(const Facts& facts, std::vector<Finding>& findings) {
    for (const NicFacts& nic : facts.nics) {
        findings.push_back(mode(nic, facts.holds_nics));
        mtu(nic, findings);
        queues(nic, facts.cpus, findings);
        if (nic.lro.value_or(false))
            findings.push_back(
                about(nic, "nic-lro", Level::warn,
                      "packets are merged before XDP sees them (LRO), and native XDP "
                      "may be refused",
                      fmt::format("ethtool -K {} lro off", nic.name)));
    }
    if (facts.nics.empty())
        findings.push_back({.id = "nic",
                            .about = {},
                            .level = Level::warn,
                            .text = "no interface but loopback is up",
                            .next = "ip link set dev NAME up"});
}

} // namespace sallyport::doctor
