// SPDX-License-Identifier: Apache-2.0
#pragma once
// Asks a map image as the programs ask the maps: bitmap, trie, tables, and the
// cgroup automaton, by the words of abi/types.h and by nothing the compiler
// knows. The tests hold it against the oracle; the daemon asks it about what
// was already running before it came.
#include "compile/map_image.h"
#include "policy/evaluate.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// The longest of many prefixes that holds an address.
class LongestMatch {
  public:
    void add(const Address& base, unsigned mapped_length, std::uint32_t value);
    void finish(); // after the last add
    [[nodiscard]] std::optional<std::uint32_t> find(const Address& address) const;

  private:
    using Entry = std::pair<Address, std::uint32_t>;
    std::array<std::vector<Entry>, 129> by_length_;
};

enum class Opener : std::uint8_t {
    stated, // the cgroup and user of the opening
    anyone, // what some identity may: sp_slot.any_identity
};

class Lookup {
  public:
    // The image must outlive it. Takes time and memory in proportion to its tries.
    explicit Lookup(const MapImage& image);

    // Rule + 1 of the deciding rule, 0 for no rule; none when a table does not answer,
    // which the programs take for a drop.
    [[nodiscard]] std::optional<std::uint32_t> cell(const Opening& opening,
                                                    Opener opener = Opener::stated) const;
    // The same in the oracle's words; no_rule when a table does not answer.
    [[nodiscard]] Verdict verdict(const Opening& opening, Opener opener = Opener::stated) const;

    // 0 when the image does not know the name.
    [[nodiscard]] std::uint32_t interface_class(const std::string& name) const;
    [[nodiscard]] std::uint32_t address_class(const Address& address) const;
    [[nodiscard]] std::uint32_t port_class(Direction direction, std::uint8_t proto,
                                           std::uint16_t port) const;
    // SP_MARK_*; 0 on any doubt.
    [[nodiscard]] std::uint32_t marks(const Address& address, const std::string& interface) const;
    // State of the automaton at an absolute path; none for an empty one, and for one
    // deeper than SP_CG_DEPTH_MAX.
    [[nodiscard]] std::optional<std::uint32_t> cgroup_state(const std::string& path) const;
    // Index of the second dimension for egress; 0 is whom no selector knows.
    [[nodiscard]] std::uint32_t identity(const std::string& cgroup,
                                         std::optional<std::uint32_t> user) const;

  private:
    [[nodiscard]] std::optional<std::uint32_t> word(std::uint64_t at) const;
    [[nodiscard]] std::uint32_t v4_class(const Address& address) const;
    [[nodiscard]] std::uint32_t v6_class(const Address& address) const;

    const MapImage& image_;
    LongestMatch v4_;
    LongestMatch v6_;
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> steps_;
    std::map<std::string, std::uint32_t> interfaces_;
    std::map<std::uint32_t, std::uint32_t> users_;
};

} // namespace sallyport
