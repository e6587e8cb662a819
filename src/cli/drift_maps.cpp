// SPDX-License-Identifier: Apache-2.0
// A slot's tables, entry by entry, against what the compiler makes of the policy.
#include "cli/drift_world.h"
#include "compile/globs.h"
#include "drift/entries.h"
#include "kernel/table_reader.h"

#include <cstring>
#include <fmt/format.h>

namespace sallyport {
namespace {

using drift::ArrayCheck;
using drift::Differences;
using drift::Finding;
using drift::Level;
using drift::PairsCheck;

std::string name_v4(const std::byte* bytes) {
    sp_v4_key key{};
    std::memcpy(&key, bytes, sizeof key);
    return fmt::format("{}.{}.{}.{}/{}", key.addr[0], key.addr[1], key.addr[2], key.addr[3],
                       key.prefix_len);
}

std::string name_v6(const std::byte* bytes) {
    sp_v6_key key{};
    std::memcpy(&key, bytes, sizeof key);
    Address address;
    std::memcpy(address.bytes.data(), key.addr, sizeof key.addr);
    return fmt::format("{}/{}", to_string(address), key.prefix_len);
}

std::string name_step(const std::byte* bytes) {
    sp_cg_step key{};
    std::memcpy(&key, bytes, sizeof key);
    return fmt::format("state {} and \"{}\"", key.state,
                       std::string(key.name, strnlen(key.name, sizeof key.name)));
}

std::string name_user(const std::byte* bytes) {
    std::uint32_t key = 0;
    std::memcpy(&key, bytes, sizeof key);
    return fmt::format("uid {}", key);
}

class SlotReader {
  public:
    SlotReader(const StandingWall& wall, std::uint32_t slot, drift::Report& report)
        : slot_(slot), report_(report),
          next_("sallyport apply " +
                (wall.enforced.file.starts_with("/") ? wall.enforced.file : std::string("FILE")) +
                " writes them anew; and find out who was root here") {}

    // An array or a hash of the slot, `outer`: the array of maps.
    template <typename Check>
    Status inner(const char* name, int outer, std::uint32_t key_size, std::uint32_t value_size,
                 Check check) {
        if (outer < 0) return {}; // its pin is missing, which is told as such
        const Result<Fd> table = open_inner(outer, slot_);
        if (!table && table.error().kind == ErrorKind::not_found) {
            add(name, "the table of the policy in force is gone: what asks it denies");
            return {};
        }
        if (!table) return std::unexpected<Error>(table.error());
        return flat(name, table->get(), key_size, value_size, std::move(check));
    }
    template <typename Check>
    Status flat(const char* name, int map, std::uint32_t key_size, std::uint32_t value_size,
                Check check) {
        if (map < 0) return {};
        const MapShape shape = SP_TRY(shape_of(map));
        if (shape.key_size != key_size || shape.value_size != value_size) {
            add(name, fmt::format("the table has keys of {} bytes and values of {} instead of {} "
                                  "and {}",
                                  shape.key_size, shape.value_size, key_size, value_size));
            return {};
        }
        SP_TRY(each_entry(map, shape,
                          [&](const std::byte* keys, const std::byte* values, std::size_t count) {
                              check.take(keys, values, count);
                          })
                   .context(std::string("reading ") + name));
        const Differences found = check.finish();
        report_.compared.maps++;
        report_.compared.entries += found.seen;
        for (Finding& one : drift::finding_of(name, found, next_))
            report_.findings.push_back(std::move(one));
        return {};
    }

  private:
    void add(const char* name, std::string text) {
        report_.findings.push_back({.id = "map",
                                    .about = name,
                                    .level = Level::drift,
                                    .text = std::move(text),
                                    .details = {},
                                    .more = 0,
                                    .next = next_});
    }
    std::uint32_t slot_;
    drift::Report& report_;
    std::string next_;
};

} // namespace

Status compare_slot(const StandingWall& wall, std::uint32_t slot, const MapImage& image,
                    const PolicySource& source, drift::Report& report) {
    const Maps& maps = wall.maps.maps;
    SlotReader read(wall, slot, report);
    const auto array = [&](const char* name, int outer, const auto& values) {
        return read.inner(name, outer, 4, sizeof values[0], ArrayCheck(values));
    };
    const auto pairs = [&](const char* name, int outer, const auto& values,
                           std::string (*key)(const std::byte*), const char* value) {
        return read.inner(name, outer, sizeof values[0].first, 4, PairsCheck(values, key, value));
    };
    const std::vector<sp_slot> header{image.slot};
    SP_TRY(
        read.flat("sp_slots", maps.slots, 4, sizeof(sp_slot), ArrayCheck(header, slot, slot + 1)));
    SP_TRY(array("sp_ports", maps.ports, image.ports));
    SP_TRY(array("sp_cells", maps.cells, image.cells));
    SP_TRY(array("sp_v4_bits", maps.v4_bits, image.v4_bits));
    SP_TRY(array("sp_v6_bits", maps.v6_bits, image.v6_bits));
    SP_TRY(pairs("sp_v4_trie", maps.v4_trie, image.v4_trie, name_v4, "class"));
    SP_TRY(pairs("sp_v6_trie", maps.v6_trie, image.v6_trie, name_v6, "class"));
    SP_TRY(array("sp_rules", maps.rules, image.rules));
    SP_TRY(array("sp_limits", maps.limits, image.limits));
    SP_TRY(pairs("sp_cg_steps", maps.cg_steps, image.cgroup_steps, name_step, "state"));
    SP_TRY(array("sp_cg_states", maps.cg_states, image.cgroup_states));
    SP_TRY(pairs("sp_users", maps.users, image.users, name_user, "class"));
    std::vector<sp_globs> globs = SP_TRY(compile_globs(source.policy.host.interfaces));
    globs.resize(SP_GLOB_GROUPS);
    return read.flat("sp_globs", maps.globs, 4, sizeof(sp_globs),
                     ArrayCheck(globs, slot * SP_GLOB_GROUPS, (slot + 1) * SP_GLOB_GROUPS));
}

} // namespace sallyport
