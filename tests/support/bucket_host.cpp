// SPDX-License-Identifier: Apache-2.0
#include "support/bucket_host.h"

#define SP_HOST
#include <cstring>
#include <linux/bpf.h>
#undef __always_inline // glibc's; bpf/lib/base.h brings its own
#include "lib/window.h"

namespace sallyport::test {
namespace {

Buckets::Answer answer_of(bucket_answer answer) {
    switch (answer) {
    case BUCKET_REFUSED:
        return Buckets::Answer::refused;
    case BUCKET_TAKEN:
        return Buckets::Answer::taken;
    case BUCKET_ABSENT:
    case BUCKET_FULL:
        break;
    }
    return Buckets::Answer::full;
}

} // namespace

Buckets::Buckets() : set_(std::make_unique<sp_bucket_set>()) {}
Buckets::~Buckets() = default;

Buckets::Answer Buckets::arrive(const sp_bucket_key& key, std::uint64_t now, const sp_rate& rate) {
    bucket_answer answer = take_known(set_.get(), &key, now, &rate);
    if (answer == BUCKET_ABSENT) answer = enter_bucket(set_.get(), &key, now, &rate);
    return answer_of(answer);
}

bool Buckets::remembers(const sp_bucket_key& key) const {
    return bearing(set_.get(), &key) != 0;
}

Buckets::Answer Buckets::arrive_in_window(const sp_bucket_key& key, std::uint64_t now,
                                          const sp_limit& limit) {
    return answer_of(count_in_window(set_.get(), &key, now, &limit));
}

bool take(std::uint64_t& time, std::uint64_t now, const sp_rate& rate) {
    return gcra_take(reinterpret_cast<__u64*>(&time), now, &rate) != 0;
}

} // namespace sallyport::test
