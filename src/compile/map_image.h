// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the compiler makes of a policy: the contents of one slot's maps, byte
// for byte as abi/types.h describes them. A plain value.
#include "sallyport/abi/types.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sallyport {

struct InterfaceClass {
    std::string name;
    std::uint16_t number = 0;
};

struct MapImage {
    sp_slot slot{};
    std::vector<sp_chunk> ports;                              // SP_PORT_CHUNKS
    std::vector<sp_chunk> cells;                              // at least one
    std::vector<sp_bits> v4_bits;                             // SP_V4_BITS / SP_CHUNK_BITS
    std::vector<sp_bits> v6_bits;                             // SP_V6_BITS / SP_CHUNK_BITS
    std::vector<std::pair<sp_v4_key, std::uint32_t>> v4_trie; // may be empty
    std::vector<std::pair<sp_v6_key, std::uint32_t>> v6_trie; // may be empty
    std::vector<sp_rule> rules;                               // by the order of Policy::rules
    std::vector<std::string> rule_names;
    std::vector<sp_limit> limits; // by the number in sp_rule.flags, less 1; may be empty
    std::vector<std::pair<sp_cg_step, std::uint32_t>> cgroup_steps; // next state; may be empty
    std::vector<sp_cg_state> cgroup_states;                         // at least the root's, index 0
    std::vector<std::pair<std::uint32_t, std::uint32_t>> users; // uid to user class; may be empty
    std::vector<InterfaceClass> interfaces; // the class of each name asked for; others have class 0
};

} // namespace sallyport
