// SPDX-License-Identifier: Apache-2.0
// The programs' SipHash, compiled natively.
#include "support/siphash_host.h"

#define SP_HOST
#include <algorithm>
#include <cstring>
#include <linux/bpf.h>
#undef __always_inline // glibc's; bpf/lib/base.h brings its own
#include "lib/siphash.h"

namespace sallyport::test {

std::uint64_t program_siphash(const std::array<std::uint64_t, 6>& words, std::uint64_t key0,
                              std::uint64_t key1) {
    siphash_text text{};
    static_assert(std::size(text.words) == 6);
    std::ranges::copy(words, text.words);
    return siphash_of(&text, key0, key1);
}

} // namespace sallyport::test
