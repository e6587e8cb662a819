// SPDX-License-Identifier: Apache-2.0
#include "kernel/apply.h"

#include "compile/globs.h"
#include "kernel/control_page.h"
#include "kernel/map.h"
#include "sallyport/abi/control.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <future>

namespace sallyport {
namespace {

// The filled inner maps of a slot, and the outer ones that are to own them.
class Tables {
  public:
    void add(int outer, Fd inner) {
        tables_.push_back({.outer = outer, .inner = std::move(inner)});
    }
    // Each update of an outer map waits for an RCU grace period (8 to 20 ms): side by
    // side they wait for the same one.
    [[nodiscard]] Status publish(std::uint32_t slot) const {
        std::vector<std::future<Status>> updates;
        for (const Table& table : tables_)
            updates.push_back(std::async(std::launch::async, [&table, slot] {
                const auto fd = static_cast<std::uint32_t>(table.inner.get());
                return map_update(table.outer, slot, fd);
            }));
        Status all;
        for (std::future<Status>& update : updates)
            if (Status one = update.get(); !one) all = std::move(one);
        return all;
    }

  private:
    struct Table {
        int outer = -1;
        Fd inner;
    };
    std::vector<Table> tables_;
};

// Returns when no program judges by that slot any more. The control word has left it
// long ago, but a program that was preempted since may still be at work, and would see
// the tables change under it: half of one policy, half of another. Putting back the
// table that is there changes nothing and waits for a grace period, as every update
// of an outer map does. A slot that was never filled nobody reads.
Status wait_for_readers(const Maps& maps, std::uint32_t slot) {
    const std::optional<std::uint32_t> id = SP_TRY(map_lookup<std::uint32_t>(maps.cells, slot));
    if (!id) return {};
    const int raw = bpf_map_get_fd_by_id(*id);
    if (raw < 0) return fail_errno(-raw, "opening a table by its id");
    const Fd table(raw);
    const auto fd = static_cast<std::uint32_t>(table.get());
    return map_update(maps.cells, slot, fd);
}

template <typename T>
Status fill_array(Tables& tables, int outer, InnerMap shape, const std::vector<T>& values) {
    shape.value_size = sizeof(T);
    Fd inner = SP_TRY(create_map(shape));
    // A new array is zero, and the bitmaps of most policies are little else.
    std::vector<std::uint32_t> keys;
    std::vector<T> written;
    for (std::uint32_t i = 0; i < values.size(); i++) {
        static constexpr T kZero{};
        if (std::memcmp(&values[i], &kZero, sizeof(T)) == 0) continue;
        keys.push_back(i);
        written.push_back(values[i]);
    }
    SP_TRY(update_batch(inner.get(), keys.data(), written.data(),
                        static_cast<std::uint32_t>(keys.size())));
    tables.add(outer, std::move(inner));
    return {};
}

// Tries and hashes: as many entries as given, at least room for one.
template <typename K>
Status fill_pairs(Tables& tables, int outer, InnerMap shape,
                  const std::vector<std::pair<K, std::uint32_t>>& pairs) {
    shape.key_size = sizeof(K);
    shape.value_size = sizeof(std::uint32_t);
    shape.flags = BPF_F_NO_PREALLOC;
    Fd inner = SP_TRY(create_map(shape));
    std::vector<K> keys;
    std::vector<std::uint32_t> values;
    keys.reserve(pairs.size());
    values.reserve(pairs.size());
    for (const auto& [key, value] : pairs) {
        keys.push_back(key);
        values.push_back(value);
    }
    SP_TRY(update_batch(inner.get(), keys.data(), values.data(),
                        static_cast<std::uint32_t>(keys.size())));
    tables.add(outer, std::move(inner));
    return {};
}

std::uint32_t size_of(std::size_t count) {
    return count ? static_cast<std::uint32_t>(count) : 1;
}

Status fill_tables(const Maps& maps, const MapImage& image, Tables& tables) {
    SP_TRY(fill_array(tables, maps.ports, {.name = "sp_ports", .max_entries = SP_PORT_CHUNKS},
                      image.ports));
    SP_TRY(fill_array(
        tables, maps.cells,
        {.name = "sp_cells", .max_entries = size_of(image.cells.size()), .flags = BPF_F_INNER_MAP},
        image.cells));
    SP_TRY(fill_array(tables, maps.v4_bits,
                      {.name = "sp_v4_bits", .max_entries = SP_V4_BITS / SP_CHUNK_BITS},
                      image.v4_bits));
    SP_TRY(fill_array(tables, maps.v6_bits,
                      {.name = "sp_v6_bits", .max_entries = SP_V6_BITS / SP_CHUNK_BITS},
                      image.v6_bits));
    SP_TRY(fill_pairs(tables, maps.v4_trie,
                      {.type = BPF_MAP_TYPE_LPM_TRIE,
                       .name = "sp_v4_trie",
                       .max_entries = size_of(image.v4_trie.size())},
                      image.v4_trie));
    return fill_pairs(tables, maps.v6_trie,
                      {.type = BPF_MAP_TYPE_LPM_TRIE,
                       .name = "sp_v6_trie",
                       .max_entries = size_of(image.v6_trie.size())},
                      image.v6_trie);
}

Status fill_identity(const Maps& maps, const MapImage& image, Tables& tables) {
    // These two are hashes, whose size must equal the template's (bpf/lib/maps.h).
    constexpr std::uint32_t kHashEntries = 4096;
    if (image.cgroup_steps.size() > kHashEntries || image.users.size() > kHashEntries)
        return fail(
            ErrorKind::invalid_input,
            fmt::format("the policy selects {} cgroup names and {} users; {} of each are possible",
                        image.cgroup_steps.size(), image.users.size(), kHashEntries));
    SP_TRY(
        fill_pairs(tables, maps.cg_steps,
                   {.type = BPF_MAP_TYPE_HASH, .name = "sp_cg_steps", .max_entries = kHashEntries},
                   image.cgroup_steps));
    SP_TRY(fill_array(tables, maps.cg_states,
                      {.name = "sp_cg_states",
                       .max_entries = size_of(image.cgroup_states.size()),
                       .flags = BPF_F_INNER_MAP},
                      image.cgroup_states));
    return fill_pairs(tables, maps.users,
                      {.type = BPF_MAP_TYPE_HASH, .name = "sp_users", .max_entries = kHashEntries},
                      image.users);
}

Status fill_rules(const Maps& maps, const MapImage& image, Tables& tables) {
    SP_TRY(fill_array(tables, maps.limits,
                      {.name = "sp_limits",
                       .max_entries = size_of(image.limits.size()),
                       .flags = BPF_F_INNER_MAP},
                      image.limits));
    return fill_array(tables, maps.rules, {.name = "sp_rules", .max_entries = SP_RULES_MAX},
                      image.rules);
}

void empty_slot(const Maps& maps, std::uint32_t slot) {
    const sp_slot nothing{};
    static_cast<void>(map_update(maps.slots, slot, nothing));
    for (int outer :
         {maps.ports, maps.cells, maps.v4_bits, maps.v6_bits, maps.v4_trie, maps.v6_trie,
          maps.rules, maps.limits, maps.cg_steps, maps.cg_states, maps.users})
        static_cast<void>(map_delete(outer, slot));
}

} // namespace

Result<std::uint64_t> control_word(const Maps& maps) {
    const ControlPage page = SP_TRY(ControlPage::open(maps.control));
    return page.load();
}

Result<std::uint32_t> free_slot(const Maps& maps) {
    const std::uint64_t word = SP_TRY(control_word(maps));
    for (std::uint32_t slot = 1; slot < SP_SLOTS; slot++)
        if (slot != sp_control_active(word) && slot != sp_control_fallback(word)) return slot;
    return fail(ErrorKind::internal, "no policy slot is free");
}

Status fill_slot(const Maps& maps, std::uint32_t slot, const MapImage& image) {
    const std::uint64_t word = SP_TRY(control_word(maps));
    if (slot == 0 || slot >= SP_SLOTS || slot == sp_control_active(word) ||
        (slot == sp_control_fallback(word) && sp_control_deadline_ms(word) != 0))
        return fail(ErrorKind::internal, fmt::format("policy slot {} is in use", slot));
    Tables tables;
    Status made = fill_tables(maps, image, tables);
    if (made) made = fill_identity(maps, image, tables);
    if (made) made = fill_rules(maps, image, tables);
    if (made) made = wait_for_readers(maps, slot);
    if (!made) return std::move(made).context("filling a policy slot");
    // First out of force, so that a reader of a stale slot number finds a denial, not a
    // mixture. What it held is replaced rather than deleted: either waits for a grace period.
    SP_TRY(map_update(maps.slots, slot, sp_slot{}));
    Status filled = tables.publish(slot);
    if (filled) filled = map_update(maps.slots, slot, image.slot);
    if (!filled) {
        empty_slot(maps, slot);
        return std::move(filled).context("filling a policy slot");
    }
    return {};
}

Status fill_globs(const Maps& maps, std::uint32_t slot, const std::vector<std::string>& globs) {
    std::vector<sp_globs> groups = SP_TRY(compile_globs(globs));
    groups.resize(SP_GLOB_GROUPS); // the rest is zero
    for (std::uint32_t i = 0; i < SP_GLOB_GROUPS; i++)
        SP_TRY(map_update(maps.globs, slot * SP_GLOB_GROUPS + i, groups[i]));
    return {};
}

Status stand_aside(const Maps& maps) {
    const std::uint32_t slot = SP_TRY(free_slot(maps));
    // Of no dimension: nothing is allowed, so nothing opens a flow; and as it observes,
    // nothing is dropped. Nor reported: there is no event a second.
    sp_slot aside{};
    aside.generation = UINT32_MAX;
    aside.flags = SP_SLOT_OBSERVE | SP_SLOT_ASIDE;
    SP_TRY(map_update(maps.slots, slot, aside));
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    page.store(sp_control_word(slot, 0, 0));
    return {};
}

bool is_aside(const sp_slot& slot) {
    return (slot.flags & SP_SLOT_ASIDE) != 0;
}

Status activate(const Maps& maps, std::uint32_t slot) {
    const sp_slot header = SP_TRY(read_slot(maps, slot));
    if (header.generation == 0)
        return fail(ErrorKind::internal, fmt::format("policy slot {} was never filled", slot));
    ControlPage page = SP_TRY(ControlPage::open(maps.control));
    page.store(sp_control_word(slot, 0, 0));
    return {};
}

Result<sp_slot> read_slot(const Maps& maps, std::uint32_t slot) {
    const std::optional<sp_slot> header = SP_TRY(map_lookup<sp_slot>(maps.slots, slot));
    return header.value_or(sp_slot{});
}

} // namespace sallyport
