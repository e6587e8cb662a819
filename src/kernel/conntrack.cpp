// SPDX-License-Identifier: Apache-2.0
#include "kernel/conntrack.h"

#include <bpf/btf.h>
#include <memory>
#include <unistd.h>

namespace sallyport {
namespace {

using Types = std::unique_ptr<btf, decltype(&btf__free)>;

bool has_lookup(const Types& types) {
    return types != nullptr &&
           btf__find_by_name_kind(types.get(), "bpf_xdp_ct_lookup", BTF_KIND_FUNC) > 0;
}

} // namespace

bool has_conntrack_kfuncs() {
    const Types kernel(btf__load_vmlinux_btf(), btf__free);
    if (kernel == nullptr) return false;
    if (has_lookup(kernel)) return true;
    if (access("/sys/kernel/btf/nf_conntrack", R_OK) != 0) return false;
    const Types module(btf__load_module_btf("nf_conntrack", kernel.get()), btf__free);
    return has_lookup(module);
}

} // namespace sallyport
