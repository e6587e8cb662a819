// SPDX-License-Identifier: Apache-2.0
// Catch2's session. A tier that needs BPF and may not load any exits with 77,
// which CTest shows as skipped: never as passed, and scripts/test refuses it.
#include <array>
#include <bpf/bpf.h>
#include <catch2/catch_session.hpp>
#include <cerrno>
#include <cstdio>
#include <linux/bpf.h>
#include <string_view>
#include <unistd.h>

namespace {

constexpr int kSkipped = 77;

// Tiers by the executable's name; the others need nothing.
bool needs_bpf(std::string_view path) {
    std::string_view name = path.substr(path.rfind('/') + 1);
    return name.starts_with("prog") || name.starts_with("differential") || name.starts_with("e2e");
}

// The smallest XDP program there is: return XDP_DROP.
bool may_load_bpf() {
    std::array<bpf_insn, 2> code{};
    code[0] = {.code = BPF_ALU64 | BPF_MOV | BPF_K,
               .dst_reg = BPF_REG_0,
               .src_reg = 0,
               .off = 0,
               .imm = XDP_DROP};
    code[1] = {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
    int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "sp_probe", "GPL", code.data(), code.size(), nullptr);
    if (fd < 0) return errno != EPERM && errno != EACCES && errno != ENOSYS;
    close(fd);
    return true;
}

} // namespace

int main(int argc, char* argv[]) {
    Catch::Session session;
    int usage = session.applyCommandLine(argc, argv);
    if (usage != 0) return usage;
    const Catch::ConfigData& asked = session.configData();
    bool only_listing = asked.listTests || asked.listTags || asked.listReporters ||
                        asked.listListeners || asked.showHelp;
    if (!only_listing && needs_bpf(argv[0]) && !may_load_bpf()) {
        std::fprintf(stderr,
                     "skipped: this tier loads BPF programs and may not here; run it as root\n");
        return kSkipped;
    }
    return session.run();
}
