// SPDX-License-Identifier: Apache-2.0
#include "daemon/seen_names.h"

#include "sallyport/abi/answer.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

namespace sallyport {

std::size_t SeenNames::Hash::operator()(const Address& address) const {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
}

void SeenNames::take_record(std::span<const std::byte> record) {
    sp_answer raw{};
    if (record.size() < sizeof raw) return;
    std::memcpy(&raw, record.data(), sizeof raw);
    const std::size_t length = std::min<std::size_t>(raw.len, sizeof raw.bytes);
    const auto answer = parse_dns_answer(std::as_bytes(std::span(raw.bytes, length)));
    // It may have waited for a daemon; steady_clock is the kernel's CLOCK_MONOTONIC.
    if (answer) learn(*answer, Time(std::chrono::nanoseconds(raw.at_ns)));
}

void SeenNames::learn(const DnsAnswer& answer, Time at) {
    for (const DnsAnswer::Found& found : answer.found) learn_one(answer.name, found, at);
}

void SeenNames::learn_one(const std::string& name, const DnsAnswer::Found& found, Time at) {
    forget(found.address);
    if (const auto its = by_name_.find(name);
        its != by_name_.end() && its->second.size() >= bounds_.of_a_name)
        forget(Address(its->second.front()));
    if (known_.size() >= bounds_.addresses) forget(Address(order_.front()));
    std::list<Address>& its = by_name_[name];
    known_.emplace(found.address,
                   Known{.name = name,
                         .until = at + std::clamp(found.lives, bounds_.least, bounds_.most),
                         .in_order = order_.insert(order_.end(), found.address),
                         .in_name = its.insert(its.end(), found.address)});
}

std::string SeenNames::name_of(const Address& address, Time now) const {
    const auto at = known_.find(address);
    return at == known_.end() || now >= at->second.until ? std::string() : at->second.name;
}

void SeenNames::forget(const Address& address) {
    const auto at = known_.find(address);
    if (at == known_.end()) return;
    order_.erase(at->second.in_order);
    const auto its = by_name_.find(at->second.name);
    its->second.erase(at->second.in_name);
    if (its->second.empty()) by_name_.erase(its);
    known_.erase(at);
}

void SeenNames::forget_all() {
    known_.clear();
    order_.clear();
    by_name_.clear();
}

} // namespace sallyport
