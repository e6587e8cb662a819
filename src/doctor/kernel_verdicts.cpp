// SPDX-License-Identifier: Apache-2.0
// The kernel and what must be mounted.
#include "doctor/verdicts.h"

#include <charconv>
#include <fmt/format.h>

namespace sallyport::doctor {
namespace {

using Version = std::pair<int, int>;
constexpr Version kLeast{6, 1};   // older ones lack what the programs need
constexpr Version kWhole{6, 4};   // netfilter links
constexpr Version kTested{6, 18}; // the newest that was

std::optional<Version> version_of(const std::string& release) {
    Version version;
    const char* end = release.data() + release.size();
    const auto major = std::from_chars(release.data(), end, version.first);
    if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, end, version.second);
    return minor.ec == std::errc{} ? std::optional(version) : std::nullopt;
}

Finding kernel(const Facts& facts) {
    Finding one{.id = "kernel", .about = {}, .level = Level::ok, .text = {}, .next = {}};
    const auto version = version_of(facts.release);
    one.text = "Linux " + facts.release;
    if (!version) {
        one.level = Level::warn;
        one.text += ": no version that can be read";
        one.next = "see that it is 6.1 or newer";
    } else if (*version < kLeast) {
        one.level = Level::fail;
        one.text += " is too old";
        one.next = "boot Linux 6.1 or newer; 6.4 or newer sees most";
    } else if (*version < kWhole) {
        one.level = Level::warn;
        one.text += " has no netfilter links: what is routed is judged before NAT, and a new "
                    "interface is open until it is guarded";
        one.next = "boot Linux 6.4 or newer where this host routes or its interfaces come and go";
    } else if (*version > kTested) {
        one.text +=
            fmt::format(", newer than {}.{}, which was tested last", kTested.first, kTested.second);
    }
    return one;
}

Finding jit(const Facts& facts) {
    Finding one{
        .id = "jit", .about = {}, .level = Level::ok, .text = "programs are compiled", .next = {}};
    if (!facts.jit) {
        one.level = Level::warn;
        one.text = "whether programs are compiled could not be read";
        one.next = "run it as root";
    } else if (*facts.jit == 0) {
        one.level = Level::warn;
        one.text = "programs are interpreted, several times slower";
        one.next = "sysctl -w net.core.bpf_jit_enable=1";
    } else if (*facts.jit > 1) {
        one.level = Level::warn;
        one.text = "compiled programs are written to the kernel's log";
        one.next = "sysctl -w net.core.bpf_jit_enable=1";
    }
    return one;
}

Finding cgroup(const Facts& facts) {
    Finding one{.id = "cgroup",
                .about = facts.cgroup2_mount,
                .level = Level::ok,
                .text = "every process is in cgroup v2",
                .next = {}};
    if (facts.cgroup2_mount.empty()) {
        one.level = Level::fail;
        one.text = "cgroup v2 is not mounted: the way out cannot be judged";
        one.next = "boot with systemd.unified_cgroup_hierarchy=1";
    } else if (facts.has_cgroup1) {
        one.level = Level::warn;
        one.text =
            "old controllers are in use beside cgroup v2: a runtime may keep its containers' "
            "processes out of it, and rules by unit or cgroup then do not know them";
        one.next = "boot with systemd.unified_cgroup_hierarchy=1";
    }
    return one;
}

Finding clock(const Facts& facts) {
    Finding one{
        .id = "clock", .about = {}, .level = Level::ok, .text = "it is synchronised", .next = {}};
    if (!facts.clock_is_set.value_or(false)) {
        one.level = Level::warn;
        one.text = facts.clock_is_set
                       ? "it is not synchronised: the times of events cannot be compared"
                       : "whether it is synchronised could not be read";
        one.next = "timedatectl set-ntp true, with an egress rule for the time server";
    }
    return one;
}

Finding wall(const Facts& facts) {
    Finding one{.id = "wall", .about = {}, .level = Level::ok, .text = "it stands", .next = {}};
    if (facts.wall == "protected") return one;
    one.level = Level::warn;
    if (facts.wall == "observing") {
        one.text = "it observes and drops nothing";
        one.next = "write mode = \"enforce\" when what it would drop is what should be dropped";
    } else {
        one.text = facts.wall_why.empty() ? "no wall stands" : facts.wall_why;
        one.next = "sallyport status";
    }
    return one;
}

} // namespace

void examine_kernel(const Facts& facts, std::vector<Finding>& findings) {
    const auto add = [&](const char* id, std::string about, bool is_good, Level bad,
                         std::string good_text, std::string bad_text, std::string next) {
        findings.push_back({.id = id,
                            .about = std::move(about),
                            .level = is_good ? Level::ok : bad,
                            .text = is_good ? std::move(good_text) : std::move(bad_text),
                            .next = is_good ? std::string() : std::move(next)});
    };
    add("root", "", facts.is_root, Level::warn, "everything may be asked",
        "not root: some of what follows could not be asked", "run it as root");
    findings.push_back(wall(facts));
    findings.push_back(kernel(facts));
    add("btf", "", facts.has_btf, Level::fail, "the kernel describes its types",
        "the kernel does not describe its types (/sys/kernel/btf/vmlinux)",
        "boot a kernel built with CONFIG_DEBUG_INFO_BTF");
    findings.push_back(jit(facts));
    add("unprivileged-bpf", "", facts.unprivileged_bpf.value_or(1) != 0, Level::warn,
        "only the privileged load programs", "any user may load programs of some kinds",
        "sysctl -w kernel.unprivileged_bpf_disabled=2");
    add("lsm", "", facts.lsm_obstacle.empty(), Level::warn,
        "packet sockets can be refused as they are made",
        "packet-sockets = \"deny\" would not be enforced: " + facts.lsm_obstacle, facts.lsm_advice);
    findings.push_back(cgroup(facts));
    add("bpffs", facts.bpffs, facts.has_bpffs, Level::fail, "pins can be kept",
        "it is on no bpf file system: enforcement would end with the daemon",
        "mount -t bpf bpf /sys/fs/bpf");
    findings.push_back(clock(facts));
}

} // namespace sallyport::doctor
