// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_facts.h"

#include "cli/run_tool.h"
#include "daemon/other_ways.h"
#include "daemon/owner.h"
#include "daemon/pins_status.h"
#include "doctor/nftables.h"
#include "kernel/conntrack.h"
#include "kernel/interfaces.h"
#include "kernel/namespaces.h"
#include "kernel/nic_facts.h"
#include "kernel/packet_sockets.h"
#include "kernel/pins.h"
#include "kernel/socket_holders.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace sallyport {
namespace {

using namespace doctor;
namespace fs = std::filesystem;

constexpr long kBpfMagic = 0xcafe4a11;

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::optional<int> setting(const std::string& name) {
    const std::string text = text_of("/proc/sys/" + name);
    int value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{})
        return std::nullopt;
    return value;
}

bool exists(const std::string& path) {
    std::error_code error;
    return fs::exists(path, error);
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename());
    std::ranges::sort(names);
    return names;
}

// On a bpf file system, or to be made on one.
bool is_on_bpffs(fs::path path) {
    std::error_code error;
    while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
    struct statfs about{};
    return statfs(path.c_str(), &about) == 0 && about.f_type == kBpfMagic;
}

// A line "... - cgroup cgroup rw,CONTROLLER": one that has more than a name.
bool has_old_controllers(const std::string& mountinfo) {
    std::istringstream lines(mountinfo);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t dash = line.find(" - cgroup ");
        if (dash != std::string::npos && line.find("name=", dash) == std::string::npos) return true;
    }
    return false;
}

// What holds a NIC shut that has no program, and our links in generic mode.
void read_pins(const std::string& bpffs, Facts& facts) {
    const std::string links = layout_dir_of(bpffs) + "/links/";
    for (const std::string& pin : names_in(links))
        facts.holds_nics = facts.holds_nics || pin.starts_with("hold_");
    for (NicFacts& nic : facts.nics)
        if (const std::string pin = links + file_of_pin("xdp-generic-" + nic.name); exists(pin))
            nic.generic_pin = pin;
}

void read_nics(Facts& facts) {
    const auto interfaces = list_interfaces();
    if (!interfaces) return;
    for (const Interface& interface : *interfaces) {
        if (interface.is_loopback) continue;
        const NicReport report = nic_report(interface.name, interface.index);
        if (!report.is_up) continue;
        facts.nics.push_back({.name = interface.name,
                              .driver = report.driver,
                              .is_hardware = !report.bus.empty(),
                              .mtu = interface.mtu,
                              .xdp_features = report.xdp_features,
                              .lro = report.lro,
                              .combined = report.combined,
                              .most_combined = report.most_combined,
                              .xdp_mode = report.xdp_mode,
                              .xdp_program = report.xdp_program,
                              .generic_pin = {}});
        const std::string conf = "net/ipv6/conf/" + interface.name + "/";
        if (setting(conf + "forwarding").value_or(0) != 0 && !report.bus.empty() &&
            setting(conf + "accept_ra").value_or(0) == 1)
            facts.ra_lost.push_back(interface.name);
    }
}

// The last word of each line but the first is the inode.
void add_inodes(std::set<std::uint64_t>& inodes) {
    std::istringstream lines(text_of("/proc/thread-self/net/packet"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        while (line.ends_with(' ')) line.pop_back();
        const std::size_t at = line.rfind(' ') + 1; // npos + 1 is 0
        std::uint64_t inode = 0;
        if (std::from_chars(line.data() + at, line.data() + line.size(), inode).ec == std::errc{})
            inodes.insert(inode);
    }
}

void read_packet_sockets(Facts& facts) {
    std::set<std::uint64_t> inodes;
    add_inodes(inodes);
    if (const auto others = other_namespaces())
        for (const NetNamespace& where : *others) {
            const Status went = call_inside(where, [&] { add_inodes(inodes); });
            static_cast<void>(went); // ended meanwhile, or not to be entered
        }
    const auto holders = find_socket_holders(inodes);
    if (!holders) return;
    for (const auto& [pid, process] : holders->processes)
        facts.packet_sockets.push_back({.pid = pid, .comm = process.comm});
}

void read_firewalls(Facts& facts) {
    const std::string nft = find_tool("nft");
    if (nft.empty())
        facts.nftables_why = "nft is not installed";
    else if (const auto text = output_of_tool({nft, "-j", "list", "ruleset"})) {
        if (auto chains = dropping_chains(*text))
            facts.dropping = *std::move(chains);
        else
            facts.nftables_why = "nft says something that is no JSON";
    } else
        facts.nftables_why = "nft list ruleset failed; it needs root";
    for (const char* tables : {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"}) {
        std::istringstream names(text_of(tables));
        for (std::string name; names >> name;)
            if (std::ranges::find(facts.legacy_tables, name) == facts.legacy_tables.end())
                facts.legacy_tables.push_back(name);
    }
    if (text_of("/etc/ufw/ufw.conf").find("\nENABLED=yes") != std::string::npos)
        facts.managers.emplace_back("ufw");
}

void read_processes(Facts& facts) {
    for (const std::string& name : names_in("/proc")) {
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string comm = text_of("/proc/" + name + "/comm");
        if (comm == "kubelet\n") facts.has_kubernetes = true;
        for (const char* manager : {"firewalld", "fail2ban-server"})
            if (comm == std::string(manager) + "\n" &&
                std::ranges::find(facts.managers, manager) == facts.managers.end())
                facts.managers.emplace_back(manager);
    }
}

void read_kernel(Facts& facts) {
    utsname name{};
    if (uname(&name) == 0) facts.release = name.release;
    facts.has_btf = exists("/sys/kernel/btf/vmlinux");
    facts.jit = setting("net/core/bpf_jit_enable");
    facts.unprivileged_bpf = setting("kernel/unprivileged_bpf_disabled");
    facts.lsm_obstacle = lsm_obstacle();
    facts.lsm_advice = lsm_advice();
    const std::string mountinfo = text_of("/proc/self/mountinfo");
    facts.cgroup2_mount = cgroup2_mount(mountinfo).value_or("");
    facts.has_cgroup1 = has_old_controllers(mountinfo);
    facts.cpus = std::max(1u, std::thread::hardware_concurrency());
    timex clock{};
    const int state = adjtimex(&clock);
    if (state >= 0) facts.clock_is_set = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
}

} // namespace

Facts read_firewall_facts() {
    Facts facts;
    read_firewalls(facts);
    read_processes(facts);
    return facts;
}

Facts read_facts(const Paths& paths) {
    Facts facts;
    facts.is_root = geteuid() == 0;
    read_kernel(facts);
    facts.bpffs = paths.bpffs;
    facts.has_bpffs = is_on_bpffs(paths.bpffs);
    read_nics(facts);
    read_pins(paths.bpffs, facts);
    read_firewalls(facts);
    read_processes(facts);
    facts.has_docker = exists("/run/docker.sock");
    facts.has_containerd = exists("/run/containerd/containerd.sock");
    facts.has_kubernetes = facts.has_kubernetes || exists("/etc/kubernetes/kubelet.conf");
    facts.has_conntrack = has_conntrack_kfuncs();
    facts.rdma = names_in("/sys/class/infiniband");
    facts.other_ways = other_ways(system_other_ways());
    read_packet_sockets(facts);
    facts.forwards_v4 = setting("net/ipv4/ip_forward");
    facts.forwards_v6 = setting("net/ipv6/conf/all/forwarding");
    facts.has_ipv6 = exists("/proc/sys/net/ipv6");
    const auto status = status_from_pins(paths);
    facts.wall = status ? status->state : "";
    facts.wall_why = status ? status->why : status.error().text();
    return facts;
}

} // namespace sallyport
