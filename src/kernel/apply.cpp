// SPDX-License-Identifier: Apache-2.0
#include "kernel/apply.h"

#include "kernel/map.h"
#include "sallyport/abi/control.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sallyport {
namespace {

// The control word in this process, shared with the programs.
class ControlPage {
  public:
    static Result<ControlPage> open(int map) {
        const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        void* page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
        if (page == MAP_FAILED) return fail_errno(errno, "mapping the control word");
        return ControlPage(static_cast<std::uint64_t*>(page), size);
    }
    ControlPage(ControlPage&& other) noexcept
        : word_(std::exchange(other.word_, nullptr)), size_(other.size_) {}
    ControlPage& operator=(ControlPage&&) = delete;
    ~ControlPage() {
        if (word_) munmap(word_, size_);
    }
    [[nodiscard]] std::uint64_t load() const { return __atomic_load_n(word_, __ATOMIC_ACQUIRE); }
    void store(std::uint64_t value) { __atomic_store_n(word_, value, __ATOMIC_RELEASE); }

  private:
    ControlPage(std::uint64_t* word, std::size_t size) : word_(word), size_(size) {}
    std::uint64_t* word_;
    std::size_t size_;
};

// Puts a filled inner map into the slot of its outer one, which then owns it.
Status publish(int outer, std::uint32_t slot, const Fd& inner) {
    const auto fd = static_cast<std::uint32_t>(inner.get());
    return map_update(outer, slot, fd);
}

template <typename T>
Status fill_array(int outer, std::uint32_t slot, InnerMap shape, const std::vector<T>& values) {
    shape.value_size = sizeof(T);
    const Fd inner = SP_TRY(create_map(shape));
    std::vector<std::uint32_t> keys(values.size());
    for (std::uint32_t i = 0; i < keys.size(); i++) keys[i] = i;
    SP_TRY(update_batch(inner.get(), keys.data(), values.data(),
                        static_cast<std::uint32_t>(values.size())));
    return publish(outer, slot, inner);
}

// Tries and hashes: as many entries as given, at least room for one.
template <typename K>
Status fill_pairs(int outer, std::uint32_t slot, InnerMap shape,
                  const std::vector<std::pair<K, std::uint32_t>>& pairs) {
    shape.key_size = sizeof(K);
    shape.value_size = sizeof(std::uint32_t);
    shape.flags = BPF_F_NO_PREALLOC;
    const Fd inner = SP_TRY(create_map(shape));
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
    return publish(outer, slot, inner);
}

std::uint32_t size_of(std::size_t count) {
    return count ? static_cast<std::uint32_t>(count) : 1;
}

Status fill_tables(const Maps& maps, std::uint32_t slot, const MapImage& image) {
    SP_TRY(fill_array(maps.ports, slot, {.name = "sp_ports", .max_entries = SP_PORT_CHUNKS},
                      image.ports));
    SP_TRY(fill_array(
        maps.cells, slot,
        {.name = "sp_cells", .max_entries = size_of(image.cells.size()), .flags = BPF_F_INNER_MAP},
        image.cells));
    SP_TRY(fill_array(maps.v4_bits, slot,
                      {.name = "sp_v4_bits", .max_entries = SP_V4_BITS / SP_CHUNK_BITS},
                      image.v4_bits));
    SP_TRY(fill_array(maps.v6_bits, slot,
                      {.name = "sp_v6_bits", .max_entries = SP_V6_BITS / SP_CHUNK_BITS},
                      image.v6_bits));
    SP_TRY(fill_pairs(maps.v4_trie, slot,
                      {.type = BPF_MAP_TYPE_LPM_TRIE,
                       .name = "sp_v4_trie",
                       .max_entries = size_of(image.v4_trie.size())},
                      image.v4_trie));
    return fill_pairs(maps.v6_trie, slot,
                      {.type = BPF_MAP_TYPE_LPM_TRIE,
                       .name = "sp_v6_trie",
                       .max_entries = size_of(image.v6_trie.size())},
                      image.v6_trie);
}

Status fill_identity(const Maps& maps, std::uint32_t slot, const MapImage& image) {
    // These two are hashes, whose size must equal the template's (bpf/lib/maps.h).
    constexpr std::uint32_t kHashEntries = 4096;
    if (image.cgroup_steps.size() > kHashEntries || image.users.size() > kHashEntries)
        return fail(
            ErrorKind::invalid_input,
            fmt::format("the policy selects {} cgroup names and {} users; {} of each are possible",
                        image.cgroup_steps.size(), image.users.size(), kHashEntries));
    SP_TRY(
        fill_pairs(maps.cg_steps, slot,
                   {.type = BPF_MAP_TYPE_HASH, .name = "sp_cg_steps", .max_entries = kHashEntries},
                   image.cgroup_steps));
    SP_TRY(fill_array(maps.cg_states, slot,
                      {.name = "sp_cg_states",
                       .max_entries = size_of(image.cgroup_states.size()),
                       .flags = BPF_F_INNER_MAP},
                      image.cgroup_states));
    return fill_pairs(maps.users, slot,
                      {.type = BPF_MAP_TYPE_HASH, .name = "sp_users", .max_entries = kHashEntries},
                      image.users);
}

Status fill_rules(const Maps& maps, std::uint32_t slot, const MapImage& image) {
    return fill_array(maps.rules, slot, {.name = "sp_rules", .max_entries = SP_RULES_MAX},
                      image.rules);
}

void empty_slot(const Maps& maps, std::uint32_t slot) {
    const sp_slot nothing{};
    static_cast<void>(map_update(maps.slots, slot, nothing));
    for (int outer : {maps.ports, maps.cells, maps.v4_bits, maps.v6_bits, maps.v4_trie,
                      maps.v6_trie, maps.rules, maps.cg_steps, maps.cg_states, maps.users})
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
    // First out of force, so that a reader of a stale slot number finds a denial, not a
    // mixture. What it held is replaced rather than deleted: either waits for a grace period.
    SP_TRY(map_update(maps.slots, slot, sp_slot{}));
    Status filled = fill_tables(maps, slot, image);
    if (filled) filled = fill_identity(maps, slot, image);
    if (filled) filled = fill_rules(maps, slot, image);
    if (filled) filled = map_update(maps.slots, slot, image.slot);
    if (!filled) {
        empty_slot(maps, slot);
        return std::move(filled).context("filling a policy slot");
    }
    return {};
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
