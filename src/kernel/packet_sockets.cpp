// SPDX-License-Identifier: Apache-2.0
#include "kernel/packet_sockets.h"

#include "base/fd.h"
#include "kernel/options.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport {
namespace {

// "return 0" as an LSM program: some kernels refuse the kind as such.
int load_nothing_as_lsm() {
    const libbpf_print_fn_t print = libbpf_set_print(nullptr);
    const int hook = libbpf_find_vmlinux_btf_id("socket_create", BPF_LSM_MAC);
    libbpf_set_print(print);
    if (hook < 0) return hook;
    const bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    bpf_prog_load_opts options = sized<bpf_prog_load_opts>();
    options.expected_attach_type = BPF_LSM_MAC;
    options.attach_btf_id = static_cast<std::uint32_t>(hook);
    const Fd fd(bpf_prog_load(BPF_PROG_TYPE_LSM, "sp_lsm_probe", "GPL", program, 2, &options));
    return fd ? 0 : -errno;
}

std::string find_obstacle() {
    std::ifstream in("/sys/kernel/security/lsm"); // may not be mounted, and then says nothing
    std::string names;
    if (std::getline(in, names) && ("," + names + ",").find(",bpf,") == std::string::npos)
        return fmt::format("\"bpf\" is not among the kernel's security modules ({})", names);
    const int error = load_nothing_as_lsm();
    if (error == 0) return {};
    if (error == -EPERM && geteuid() != 0) return {}; // of us it takes no program at all
    return fmt::format("this kernel takes no BPF LSM program ({})", std::strerror(-error));
}

// Before PACKET_QDISC_BYPASS was a flag it was the choice of the function that sends.
std::uint64_t address_of_direct_xmit() {
    std::ifstream in("/proc/kallsyms");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string address, kind, name;
        if (words >> address >> kind >> name && name == "packet_direct_xmit")
            return std::stoull(address, nullptr, 16);
    }
    return 0;
}

void settle_bypass(sp_found_socket& found) {
    if (found.family != SP_AF_PACKET || found.bypass != SP_BYPASS_UNKNOWN || found.xmit == 0)
        return;
    static const std::uint64_t direct = address_of_direct_xmit();
    if (direct != 0) found.bypass = found.xmit == direct ? SP_BYPASS_YES : SP_BYPASS_NO;
}

} // namespace

const std::string& lsm_obstacle() {
    static const std::string obstacle = find_obstacle();
    return obstacle;
}

const char* lsm_advice() {
    return "boot a kernel with CONFIG_BPF_LSM and \"bpf\" in its lsm= list (Debian's kernels have "
           "both unless lsm= on the command line says otherwise); until then take CAP_NET_RAW from "
           "services, and heed the packet sockets that status lists";
}

bool packet_sockets_are_judged(const Programs& programs) {
    const std::uint64_t before = programs.sockets_asked();
    const Fd made(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); // refused or not
    return programs.sockets_asked() != before;
}

Result<std::vector<sp_found_socket>> find_packet_sockets(const Programs& programs) {
    const Fd link(bpf_link_create(programs.fd(Program::packet_find), 0, BPF_TRACE_ITER, nullptr));
    if (!link) return fail_errno(errno, "looking for packet sockets");
    const Fd iterator(bpf_iter_create(link.get()));
    if (!iterator) return fail_errno(errno, "looking for packet sockets");
    std::vector<char> bytes;
    char buffer[256 * sizeof(sp_found_socket)];
    for (;;) {
        const ssize_t got = read(iterator.get(), buffer, sizeof(buffer));
        if (got == 0) break;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got < 0) return fail_errno(errno, "looking for packet sockets");
        bytes.insert(bytes.end(), buffer, buffer + got);
    }
    std::vector<sp_found_socket> found(bytes.size() / sizeof(sp_found_socket));
    if (!found.empty())
        std::memcpy(found.data(), bytes.data(), found.size() * sizeof(sp_found_socket));
    std::ranges::for_each(found, settle_bypass);
    return found;
}

} // namespace sallyport
