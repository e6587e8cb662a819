// SPDX-License-Identifier: Apache-2.0
#include "support/fragment_table.h"

#include "base/result.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <ctime>

namespace sallyport::test {
namespace {

// Value of sp_fragments (bpf/lib/maps.h).
struct FragmentSet {
    std::uint32_t lock = 0;
    std::uint32_t spare = 0;
    sp_fragment entries[SP_FRAGMENT_WAYS]{};
};
static_assert(sizeof(FragmentSet) == 8 + SP_FRAGMENT_WAYS * sizeof(sp_fragment));

FragmentSet read_set(const Instance& instance, std::uint32_t index) {
    FragmentSet set;
    SP_CHECK(bpf_map_lookup_elem(instance.maps().fragments, &index, &set) == 0);
    return set;
}

void write_set(const Instance& instance, std::uint32_t index, const FragmentSet& set) {
    SP_CHECK(bpf_map_update_elem(instance.maps().fragments, &index, &set, BPF_ANY) == 0);
}

} // namespace

Packet Datagram::piece(std::size_t offset, std::size_t size, bool more) const {
    Bytes part;
    for (std::size_t i = offset; i < offset + size; ++i)
        part.push_back(i < bytes.size() ? bytes[i] : std::uint8_t{0});
    const std::uint16_t eights = static_cast<std::uint16_t>(offset / 8);
    Packet payload = raw{.bytes = std::move(part)};
    if (family == Family::v4)
        return eth{} /
               ipv4{.src = src.empty() ? kPeer4 : src,
                    .dst = dst.empty() ? kHost4 : dst,
                    .proto = proto,
                    .id = static_cast<std::uint16_t>(id),
                    .mf = more,
                    .offset = eights} /
               payload;
    return eth{} / ipv6{.src = src.empty() ? kPeer6 : src, .dst = dst.empty() ? kHost6 : dst} /
           fragment{.offset = eights, .more = more, .id = id, .next = proto} / payload;
}

Datagram datagram(Family family, const Packet& transport, std::size_t size) {
    const Packet whole = ip(family) / transport / Packet(filler(size, 0x2e));
    Bytes bytes = whole.bytes();
    Datagram made{.family = family, .proto = bytes.at(family == Family::v4 ? 9 : 6)};
    bytes.erase(bytes.begin(), bytes.begin() + (family == Family::v4 ? 20 : 40));
    made.bytes = std::move(bytes);
    return made;
}

std::vector<sp_fragment> read_fragments(const Instance& instance) {
    std::vector<sp_fragment> found;
    for (std::uint32_t i = 0; i < SP_FRAGMENT_SETS; ++i) {
        for (const sp_fragment& entry : read_set(instance, i).entries) {
            if (entry.since_ns != 0) found.push_back(entry);
        }
    }
    return found;
}

void age_fragments(const Instance& instance, std::chrono::nanoseconds age) {
    for (std::uint32_t i = 0; i < SP_FRAGMENT_SETS; ++i) {
        FragmentSet set = read_set(instance, i);
        for (sp_fragment& entry : set.entries) {
            if (entry.since_ns != 0) entry.since_ns -= static_cast<std::uint64_t>(age.count());
        }
        write_set(instance, i, set);
    }
}

void fill_fragments(const Instance& instance) {
    timespec now{};
    SP_CHECK(clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0);
    sp_fragment entry{};
    entry.since_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                     static_cast<std::uint64_t>(now.tv_nsec);
    entry.step = 8;
    FragmentSet set;
    std::ranges::fill(set.entries, entry);
    for (std::uint32_t i = 0; i < SP_FRAGMENT_SETS; ++i) write_set(instance, i, set);
}

void forget_fragments(const Instance& instance) {
    for (std::uint32_t i = 0; i < SP_FRAGMENT_SETS; ++i) write_set(instance, i, {});
}

} // namespace sallyport::test
