// SPDX-License-Identifier: Apache-2.0
// All prefixes of all lists are sorted so that an enclosing one comes first,
// then swept once with a stack of the networks that are open. What an address
// sees is what its parent sees, changed by the lists that have this very
// prefix; the pair (parent's view, list and length) recurs, so a million
// prefixes of one list cost a million look-ups and a few dozen views.
#include "compile/addresses.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <tuple>
#include <unordered_map>

namespace sallyport {

namespace {

constexpr std::size_t kWordsMax = 1u << 26; // 256 MiB of signatures
constexpr std::uint32_t kNumberMax = 1u << 24;

std::uint64_t load_be64(const std::uint8_t* bytes) {
    std::uint64_t value;
    std::memcpy(&value, bytes, sizeof value);
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

// What an address sees of the lists, the words list << 8 | length + 1, and the
// class that follows from it: of each atom the length, unless an except holds.
class Views {
  public:
    explicit Views(const Peers& peers) : peers_(peers), atoms_of_(peers.lists().size()) {
        for (std::uint32_t atom = 1; atom < peers.atoms(); ++atom)
            atoms_of_[peers.atom(atom)[0]].push_back(atom);
    }

    // The view `parent` within a prefix of `list`, which overrides a shorter one.
    std::uint32_t within(std::uint32_t parent, std::uint32_t list, std::uint8_t length) {
        const std::uint32_t word = list << 8 | (length + 1u);
        const std::uint64_t key = static_cast<std::uint64_t>(parent) << 32 | word;
        if (key == last_key_) return last_;
        last_key_ = key;
        const auto [at, fresh] = within_.try_emplace(key, 0);
        if (fresh) at->second = made(parent, word);
        return last_ = at->second;
    }

    std::uint32_t address_class(std::uint32_t view) {
        if (view >= class_of_.size()) class_of_.resize(view + 1);
        if (!class_of_[view]) class_of_[view] = classes_.id_of(atoms_seen(view));
        return *class_of_[view];
    }

    [[nodiscard]] bool too_many() const {
        return views_.words() > kWordsMax || classes_.words() > kWordsMax;
    }
    Interner take_classes() { return std::move(classes_); }

  private:
    std::uint32_t made(std::uint32_t parent, std::uint32_t word) {
        const auto words = views_.at(parent);
        std::vector<std::uint32_t> changed(words.begin(), words.end());
        const auto at = std::ranges::lower_bound(changed, word >> 8 << 8);
        if (at != changed.end() && *at >> 8 == word >> 8)
            *at = word;
        else
            changed.insert(at, word);
        return views_.id_of(changed);
    }

    [[nodiscard]] std::vector<std::uint32_t> atoms_seen(std::uint32_t view) const {
        const auto words = views_.at(view);
        const auto sees = [&](std::uint32_t list) {
            const auto at = std::ranges::lower_bound(words, list << 8);
            return at != words.end() && *at >> 8 == list;
        };
        std::vector<std::uint32_t> seen;
        for (const std::uint32_t word : words)
            for (const std::uint32_t atom : atoms_of_[word >> 8])
                if (std::ranges::none_of(peers_.atom(atom).subspan(1), sees))
                    seen.push_back(atom << 8 | (word & 0xff));
        std::ranges::sort(seen);
        return seen;
    }

    const Peers& peers_;
    std::vector<std::vector<std::uint32_t>> atoms_of_; // by list: the atoms whose networks it is
    Interner views_;
    Interner classes_;
    std::unordered_map<std::uint64_t, std::uint32_t> within_;
    std::vector<std::optional<std::uint32_t>> class_of_; // by view
    std::uint64_t last_key_ = UINT64_MAX;
    std::uint32_t last_ = 0;
};

// While it is swept, address_class holds the number of the list.
struct Gathered {
    std::vector<Network<std::uint32_t>> v4;
    std::vector<Network<Bits128>> v6;
};

Gathered gather(const std::vector<PrefixList>& lists) {
    Gathered all;
    for (std::uint32_t list = 0; list < lists.size(); ++list)
        for (const Prefix& prefix : *lists[list]) {
            if (prefix.is_v4()) {
                all.v4.push_back({prefix.base.v4_value(), list,
                                  static_cast<std::uint8_t>(prefix.family_length())});
            } else {
                const std::uint8_t* bytes = prefix.base.bytes.data();
                all.v6.push_back({{load_be64(bytes), load_be64(bytes + 8)}, list, prefix.length});
            }
        }
    return all;
}

template <typename Base> void sort_enclosing_first(std::vector<Network<Base>>& networks) {
    const auto before = [](const Network<Base>& a, const Network<Base>& b) {
        if (a.base != b.base) return a.base < b.base;
        return std::tie(a.length, a.address_class) < std::tie(b.length, b.address_class);
    };
    if (!std::ranges::is_sorted(networks, before)) std::ranges::sort(networks, before);
}

// Lists to classes, in place; equal prefixes become one. Returns the default's class.
template <typename Base> std::uint32_t sweep(std::vector<Network<Base>>& networks, Views& views) {
    struct Open {
        Base last;
        std::uint32_t view;
    };
    std::vector<Open> open;
    std::uint32_t outermost = 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < networks.size() && !views.too_many();) {
        const Network<Base> network = networks[i];
        while (!open.empty() && open.back().last < network.base) open.pop_back();
        std::uint32_t view = open.empty() ? outermost : open.back().view;
        for (; i < networks.size() && networks[i].base == network.base &&
               networks[i].length == network.length;
             ++i)
            view = views.within(view, networks[i].address_class, network.length);
        if (network.length == 0) {
            outermost = view;
            continue;
        }
        open.push_back({last_of(network), view});
        networks[kept++] = {network.base, views.address_class(view), network.length};
    }
    networks.resize(kept);
    return views.address_class(outermost);
}

} // namespace

std::uint32_t last_of(const Network<std::uint32_t>& network) {
    return network.length == 0
               ? UINT32_MAX
               : network.base | static_cast<std::uint32_t>((1ull << (32 - network.length)) - 1);
}

Bits128 last_of(const Network<Bits128>& network) {
    const unsigned length = network.length;
    const std::uint64_t high = length >= 64 ? 0 : UINT64_MAX >> length;
    const std::uint64_t low = length <= 64    ? UINT64_MAX
                              : length == 128 ? 0
                                              : UINT64_MAX >> (length - 64);
    return {network.base.high | high, network.base.low | low};
}

Result<AddressClasses> classify_addresses(const Peers& peers) {
    SP_CHECK(peers.atoms() < kNumberMax && peers.lists().size() < kNumberMax);
    Views views(peers);
    Gathered all = gather(peers.lists());
    sort_enclosing_first(all.v4);
    sort_enclosing_first(all.v6);
    AddressClasses addresses;
    addresses.v4_default = sweep(all.v4, views);
    addresses.v6_default = sweep(all.v6, views);
    if (views.too_many())
        return fail(ErrorKind::invalid_input,
                    "the networks of the rules overlap in too many different ways",
                    "name networks that many rules share as one zone");
    addresses.v4 = std::move(all.v4);
    addresses.v6 = std::move(all.v6);
    addresses.classes = views.take_classes();
    return addresses;
}

} // namespace sallyport
