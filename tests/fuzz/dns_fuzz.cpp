// SPDX-License-Identifier: Apache-2.0
// A DNS message of any bytes. What is taken has a name that a terminal, a log and a shape of
// others can show as it is; less of the message gives no more addresses, and none of its own.
#include "event/dns_answer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

using namespace sallyport;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void check(const DnsAnswer& answer) {
    require(!answer.name.empty() && answer.name.size() <= 253);
    require(std::ranges::all_of(answer.name, is_plain));
    require(answer.name.front() != '.' && answer.name.back() != '.');
    require(answer.name.find("..") == std::string::npos);
    require(!answer.found.empty() && answer.found.size() <= 32);
    for (const DnsAnswer::Found& found : answer.found)
        require(found.lives.count() >= 0 && found.lives.count() <= INT32_MAX);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = std::as_bytes(std::span(data, size));
    const auto whole = parse_dns_answer(message);
    if (whole) check(*whole);
    const auto half = parse_dns_answer(message.first(size / 2));
    if (!half) return 0;
    check(*half);
    require(whole && whole->name == half->name && whole->found.size() >= half->found.size());
    require(std::equal(half->found.begin(), half->found.end(), whole->found.begin()));
    return 0;
}
