// SPDX-License-Identifier: Apache-2.0
#pragma once
// The limiter of the programs, natively: what it decides with the clock in the test's
// hand, and threads instead of CPUs.
#include "sallyport/abi/limit.h"

#include <cstdint>
#include <memory>

struct sp_bucket_set;

namespace sallyport::test {

// One set of the table, as the programs use it.
class Buckets {
  public:
    Buckets();
    ~Buckets();
    Buckets(const Buckets&) = delete;
    Buckets& operator=(const Buckets&) = delete;

    enum class Answer : std::uint8_t { refused, taken, full };
    // One arrival, as lib/limit.h asks for it, without the allowance of newcomers. Any thread.
    Answer arrive(const sp_bucket_key& key, std::uint64_t now, const sp_rate& rate);
    // Is there an entry for the key?
    [[nodiscard]] bool remembers(const sp_bucket_key& key) const;
    Answer arrive_in_window(const sp_bucket_key& key, std::uint64_t now, const sp_limit& limit);

  private:
    std::unique_ptr<sp_bucket_set> set_;
};

// One arrival on a time of its own.
[[nodiscard]] bool take(std::uint64_t& time, std::uint64_t now, const sp_rate& rate);

} // namespace sallyport::test
