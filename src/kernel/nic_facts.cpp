// SPDX-License-Identifier: Apache-2.0
#include "kernel/nic_facts.h"

#include "base/fd.h"

#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cstring>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

namespace sallyport {
namespace {

class Nic {
  public:
    explicit Nic(const std::string& name)
        : name_(name), socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

    template <typename Command> [[nodiscard]] bool ask(Command& command) const {
        ifreq request = named();
        request.ifr_data = reinterpret_cast<char*>(&command);
        return ioctl(socket_.get(), SIOCETHTOOL, &request) == 0;
    }
    [[nodiscard]] bool is_up() const {
        ifreq request = named();
        return ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0 &&
               (request.ifr_flags & IFF_UP) != 0;
    }

  private:
    [[nodiscard]] ifreq named() const {
        ifreq request{};
        name_.copy(request.ifr_name, IFNAMSIZ - 1);
        return request;
    }
    const std::string& name_;
    Fd socket_;
};

std::string text_of(const char* text, std::size_t most) {
    return {text, strnlen(text, most)};
}

std::string program_name(std::uint32_t id) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (!program || bpf_prog_get_info_by_fd(program.get(), &info, &size) != 0) return "?";
    const std::string name = text_of(info.name, sizeof info.name);
    return name.empty() ? "?" : name;
}

// Features are told from 6.3 on; before that libbpf leaves them at 0.
bool tells_features() {
    utsname name{};
    int major = 0, minor = 0;
    if (uname(&name) != 0) return false;
    const std::string release = name.release;
    const std::size_t dot = release.find('.');
    if (dot == std::string::npos) return false;
    major = std::atoi(release.c_str());
    minor = std::atoi(release.c_str() + dot + 1);
    return major > 6 || (major == 6 && minor >= 3);
}

void ask_xdp(NicReport& report, unsigned index) {
    bpf_xdp_query_opts query{};
    query.sz = sizeof query;
    if (bpf_xdp_query(static_cast<int>(index), 0, &query) != 0) return;
    if (tells_features()) report.xdp_features = query.feature_flags;
    const std::array<std::pair<std::uint32_t, const char*>, 3> modes{
        {{query.drv_prog_id, "native"},
         {query.hw_prog_id, "offloaded"},
         {query.skb_prog_id, "generic"}}};
    for (const auto& [id, mode] : modes) {
        if (id == 0) continue;
        report.xdp_mode = mode;
        report.xdp_program = program_name(id);
        return;
    }
}

} // namespace

NicReport nic_report(const std::string& name, unsigned index) {
    NicReport report;
    const Nic nic(name);
    report.is_up = nic.is_up();
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    if (nic.ask(driver)) {
        report.driver = text_of(driver.driver, sizeof driver.driver);
        report.bus = text_of(driver.bus_info, sizeof driver.bus_info);
        if (report.bus == "N/A" || report.bus == "tap" || report.bus == "tun") report.bus.clear();
    }
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    if (nic.ask(channels)) {
        report.combined = channels.combined_count;
        report.most_combined = channels.max_combined;
    }
    ethtool_value flags{};
    flags.cmd = ETHTOOL_GFLAGS;
    if (nic.ask(flags)) report.lro = (flags.data & ETH_FLAG_LRO) != 0;
    ask_xdp(report, index);
    return report;
}

} // namespace sallyport
