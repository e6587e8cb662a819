// SPDX-License-Identifier: Apache-2.0
#include "support/cookie_host.h"

#define SP_HOST
#define SP_GLOBAL static inline
#include <cstring>
#include <linux/bpf.h>
#undef __always_inline // glibc's; bpf/lib/base.h brings its own
#include "lib/paid_word.h"
#include "lib/tcp_options.h"

#include <algorithm>

namespace sallyport::test {

const int kPaidMost = SP_PAID_MOST;

std::uint64_t pay(std::uint64_t word, std::uint64_t owner, std::uint64_t part) {
    return paid_more(word, owner, part * SP_PAID_PART_NS);
}

std::uint64_t take_paid(std::uint64_t word, std::uint64_t owner, std::uint64_t part) {
    return paid_less(word, owner, part * SP_PAID_PART_NS + SP_PAID_PART_NS - 1);
}

std::uint32_t paid_place(const std::vector<std::uint64_t>& words, std::uint64_t owner,
                         std::uint64_t part) {
    sp_paid_set set{};
    std::copy(words.begin(), words.end(), set.words);
    return ::paid_place(&set, owner, part * SP_PAID_PART_NS);
}

TcpOptions read_tcp_options(const std::vector<std::uint8_t>& options) {
    tcp_options o;
    std::memset(&o, 0xa5, sizeof o); // what was there before says nothing
    std::fill(o.header, o.header + SP_TCP_BYTES, std::uint8_t{0});
    std::copy(options.begin(), options.end(), o.header + SP_TCP_BYTES);
    o.header[12] = static_cast<std::uint8_t>((SP_TCP_BYTES + options.size()) / 4 << 4);
    read_options(&o);
    return {.stamp = o.stamp,
            .mss = o.mss,
            .scale = o.scale,
            .sack = (o.marks & SP_TCP_HAS_SACK) != 0,
            .stamped = (o.marks & SP_TCP_HAS_STAMP) != 0,
            .end = o.at};
}

} // namespace sallyport::test
