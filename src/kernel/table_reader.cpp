// SPDX-License-Identifier: Apache-2.0
#include "kernel/table_reader.h"

#include "kernel/map.h"
#include "kernel/options.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace sallyport {
namespace {

constexpr std::uint32_t kBatch = 4096;
constexpr int kNotSupported = 524; // ENOTSUPP, which libc does not name

// A hash's cursor is a bucket, and a batch smaller than one is refused: only arrays and
// tries, whose cursor is a key.
bool has_batches(const MapShape& shape) {
    return shape.type == BPF_MAP_TYPE_ARRAY || shape.type == BPF_MAP_TYPE_LPM_TRIE;
}

Status one_by_one(int map, const MapShape& shape, const TakeEntries& take) {
    std::vector<std::byte> key(shape.key_size), next(shape.key_size), value(shape.value_size);
    bool first = true;
    for (;;) {
        const int error = bpf_map_get_next_key(map, first ? nullptr : key.data(), next.data());
        if (error == -ENOENT) return {};
        if (error < 0) return fail_errno(-error, "walking through a map");
        first = false;
        key = next;
        if (SP_TRY(lookup_bytes(map, key.data(), value.data()))) take(key.data(), value.data(), 1);
    }
}

} // namespace

Result<MapShape> shape_of(int map) {
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    const int error = bpf_obj_get_info_by_fd(map, &info, &size);
    if (error < 0) return fail_errno(-error, "asking about a map");
    return MapShape{.id = info.id,
                    .type = info.type,
                    .key_size = info.key_size,
                    .value_size = info.value_size,
                    .max_entries = info.max_entries};
}

Result<Fd> open_inner(int outer, std::uint32_t slot) {
    const std::optional<std::uint32_t> id = SP_TRY(map_lookup<std::uint32_t>(outer, slot));
    if (!id || *id == 0) return fail(ErrorKind::not_found, "there is no table");
    const int fd = bpf_map_get_fd_by_id(*id);
    if (fd < 0) return fail_errno(-fd, "opening a table by its id");
    return Fd(fd);
}

Status each_entry(int map, const MapShape& shape, const TakeEntries& take) {
    if (!has_batches(shape)) return one_by_one(map, shape, take);
    const std::uint32_t batch = std::min(kBatch, std::max(shape.max_entries, 1u));
    std::vector<std::byte> keys(std::size_t{batch} * shape.key_size);
    std::vector<std::byte> values(std::size_t{batch} * shape.value_size);
    std::vector<std::byte> at(shape.key_size), next(shape.key_size);
    const bpf_map_batch_opts options = sized<bpf_map_batch_opts>();
    for (bool first = true;; first = false) {
        std::uint32_t count = batch;
        const int error = bpf_map_lookup_batch(map, first ? nullptr : at.data(), next.data(),
                                               keys.data(), values.data(), &count, &options);
        if (first && (error == -kNotSupported || error == -EINVAL || error == -EOPNOTSUPP))
            return one_by_one(map, shape, take);
        if (error != 0 && error != -ENOENT) return fail_errno(-error, "reading a map");
        if (count != 0) take(keys.data(), values.data(), count);
        if (error == -ENOENT || count == 0) return {};
        at = next;
    }
}

} // namespace sallyport
