// SPDX-License-Identifier: Apache-2.0
// The C++ twin of bpf/lib/classify.h. Nothing here is clever, so that it can be
// read beside abi/types.h.
#include "compile/lookup.h"

#include <algorithm>
#include <span>

namespace sallyport {

namespace {

constexpr unsigned kMappedBits = 96;

bool bit_is_set(const std::vector<sp_bits>& bits, std::uint32_t bit) {
    return (bits.at(bit / SP_CHUNK_BITS).words[bit % SP_CHUNK_BITS / 64] >> (bit % 64) & 1) != 0;
}

std::uint32_t place_of(std::uint8_t proto, std::uint16_t port) {
    switch (proto) {
    case 6:
        return SP_LINE_TCP + port;
    case 17:
        return SP_LINE_UDP + port;
    case 132:
        return SP_LINE_SCTP + port;
    case 136:
        return SP_LINE_UDPLITE + port;
    case 1:
        return SP_LINE_ICMP4 + (port & 0xffu);
    case 58:
        return SP_LINE_ICMP6 + (port & 0xffu);
    default:
        return SP_LINE_PROTO + proto;
    }
}

// Up to the first zero, or the whole array.
std::string text_of(std::span<const char> name) {
    return {name.begin(), std::ranges::find(name, '\0')};
}

} // namespace

void LongestMatch::add(const Address& base, unsigned mapped_length, std::uint32_t value) {
    by_length_.at(mapped_length).emplace_back(base, value);
}

void LongestMatch::finish() {
    for (std::vector<Entry>& entries : by_length_)
        if (!std::ranges::is_sorted(entries)) std::ranges::sort(entries);
}

std::optional<std::uint32_t> LongestMatch::find(const Address& address) const {
    for (unsigned length = 129; length-- > 0;) {
        if (by_length_[length].empty()) continue;
        const Address base = prefix_of(address, length).base;
        const auto at = std::ranges::lower_bound(by_length_[length], base, {}, &Entry::first);
        if (at != by_length_[length].end() && at->first == base) return at->second;
    }
    return std::nullopt;
}

Lookup::Lookup(const MapImage& image) : image_(image) {
    for (const auto& [key, value] : image.v4_trie) {
        Address base = Address::v4(0);
        std::copy(std::begin(key.addr), std::end(key.addr), base.bytes.begin() + 12);
        v4_.add(base, kMappedBits + key.prefix_len, value);
    }
    for (const auto& [key, value] : image.v6_trie) {
        Address base;
        std::copy(std::begin(key.addr), std::end(key.addr), base.bytes.begin());
        v6_.add(base, key.prefix_len, value);
    }
    v4_.finish();
    v6_.finish();
    for (const auto& [step, next] : image.cgroup_steps)
        steps_.emplace(std::pair(step.state, text_of(step.name)), next);
    for (const InterfaceClass& interface : image.interfaces)
        interfaces_.emplace(interface.name, interface.number);
    users_.insert(image.users.begin(), image.users.end());
}

std::optional<std::uint32_t> Lookup::word(std::uint64_t at) const {
    if (at / SP_CHUNK_WORDS >= image_.cells.size()) return std::nullopt;
    return image_.cells[at / SP_CHUNK_WORDS].words[at % SP_CHUNK_WORDS];
}

std::uint32_t Lookup::interface_class(const std::string& name) const {
    const auto found = interfaces_.find(name);
    return found == interfaces_.end() ? 0 : found->second;
}

std::uint32_t Lookup::v4_class(const Address& address) const {
    if (!bit_is_set(image_.v4_bits, address.v4_value() >> 8)) return image_.slot.v4_default;
    return v4_.find(address).value_or(image_.slot.v4_default);
}

std::uint32_t Lookup::v6_class(const Address& address) const {
    std::uint64_t first48 = 0;
    for (unsigned i = 0; i < 6; ++i) first48 = first48 << 8 | address.bytes[i];
    const auto maybe = [&](std::uint32_t level, unsigned bits) {
        const std::uint64_t first = first48 >> (48 - bits) << (48 - bits);
        return (image_.slot.v6_levels & level) != 0 &&
               bit_is_set(image_.v6_bits, sp_v6_bit(first, level));
    };
    if (!maybe(SP_V6_LEVEL_48, 48) && !maybe(SP_V6_LEVEL_32, 32) && !maybe(SP_V6_LEVEL_16, 16))
        return image_.slot.v6_default;
    return v6_.find(address).value_or(image_.slot.v6_default);
}

std::uint32_t Lookup::address_class(const Address& address) const {
    return address.is_v4() ? v4_class(address) : v6_class(address);
}

std::uint32_t Lookup::port_class(Direction direction, std::uint8_t proto,
                                 std::uint16_t port) const {
    const std::uint32_t place =
        static_cast<std::uint32_t>(direction) * SP_LINE_END + place_of(proto, port);
    return image_.ports.at(place / SP_CHUNK_WORDS).words[place % SP_CHUNK_WORDS];
}

std::uint32_t Lookup::marks(const Address& address, const std::string& interface) const {
    const std::uint32_t number = address_class(address);
    const std::uint64_t iface = interface_class(interface);
    if (number >= image_.slot.n_classes || iface >= image_.slot.n_ifaces) return 0;
    return word(image_.slot.marks_at + iface * image_.slot.n_classes + number).value_or(0);
}

std::optional<std::uint32_t> Lookup::cgroup_state(const std::string& path) const {
    if (path.empty()) return std::nullopt;
    std::uint32_t state = 0;
    unsigned depth = 0;
    for (std::size_t from = 0; from < path.size();) {
        const std::size_t to = std::min(path.find('/', from), path.size());
        const std::string name = path.substr(from, to - from);
        from = to + 1;
        if (name.empty()) continue;
        if (++depth > SP_CG_DEPTH_MAX) return std::nullopt;
        const sp_cg_state& here = image_.cgroup_states.at(state);
        const auto step = steps_.find({state, name});
        state = step != steps_.end()       ? step->second
                : name.ends_with(".slice") ? here.other_slice
                                           : here.other;
    }
    return state;
}

std::uint32_t Lookup::identity(const std::string& cgroup, std::optional<std::uint32_t> user) const {
    const std::optional<std::uint32_t> state = cgroup_state(cgroup);
    const std::uint32_t number = state ? image_.cgroup_states.at(*state).cgroup_class : 0;
    const auto known = user ? users_.find(*user) : users_.end();
    return number * image_.slot.n_users + (known == users_.end() ? 0 : known->second);
}

std::optional<std::uint32_t> Lookup::cell(const Opening& opening, Opener opener) const {
    const sp_slot& slot = image_.slot;
    const sp_dims& dims = slot.dims[static_cast<std::size_t>(opening.direction)];
    const bool egress = opening.direction == Direction::egress;
    const std::uint64_t port = port_class(opening.direction, opening.proto, opening.port);
    if (dims.n_second == 0) return std::nullopt;
    if (port == 0) return 0;
    const std::uint64_t number = address_class(egress ? opening.destination : opening.source);
    const std::uint64_t iface = interface_class(opening.interface);
    if (number >= slot.n_classes || iface >= slot.n_ifaces) return std::nullopt;
    const std::optional<std::uint32_t> near = word(dims.near_at + number);
    if (!near || *near >= dims.n_near || port >= dims.n_ports) return std::nullopt;
    const auto row = word(dims.first_at + (iface * dims.n_near + *near) * dims.n_ports + port);
    if (dims.n_second == 1 || !row) return row;

    std::optional<std::uint32_t> second;
    if (egress)
        second =
            opener == Opener::anyone ? slot.any_identity : identity(opening.cgroup, opening.user);
    if (opening.direction == Direction::forward) {
        const std::uint64_t far = address_class(opening.destination);
        if (far < slot.n_classes) second = word(dims.far_at + far);
    }
    if (!second || *second >= dims.n_second) return std::nullopt;
    return word(dims.second_at + std::uint64_t{*row} * dims.n_second + *second);
}

Verdict Lookup::verdict(const Opening& opening, Opener opener) const {
    const std::uint32_t found = cell(opening, opener).value_or(0);
    if (found == 0 || found > image_.rules.size()) return {};
    const Answer answer = image_.rules[found - 1].allow == 1 ? Answer::allowed : Answer::denied;
    return {.answer = answer, .rule = found - 1};
}

} // namespace sallyport
