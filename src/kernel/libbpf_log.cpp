// SPDX-License-Identifier: Apache-2.0
#include "kernel/libbpf_log.h"

#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace sallyport {
namespace {

std::string& kept() {
    static std::string log;
    return log;
}

int keep_warning(libbpf_print_level level, const char* format, std::va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    // One "line" may be the verifier's whole log, whose end is what matters.
    char* line = nullptr;
    if (vasprintf(&line, format, arguments) < 0) return 0;
    if (kept().size() < (1u << 20)) kept() += line;
    std::free(line);
    return 0;
}

std::string hint_for(int error) {
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        return "this kernel shows no BTF (/sys/kernel/btf/vmlinux): boot one built with "
               "CONFIG_DEBUG_INFO_BTF=y";
    if (error == EPERM || error == EACCES)
        return "run as root, with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, on a kernel that is not "
               "locked down";
    if (error == ENOMEM) return "free memory, or lower [flows] max";
    return "the kernel must be 6.1 or later; the log above says what it objected to";
}

} // namespace

void keep_libbpf_warnings() {
    libbpf_set_print(keep_warning);
    kept().clear();
}

const std::string& libbpf_warnings() {
    return kept();
}

std::unexpected<Error> fail_load(int error) {
    std::unexpected<Error> failure = fail_errno(error, "loading the BPF programs", hint_for(error));
    failure.error().verifier_log = kept();
    return failure;
}

} // namespace sallyport
