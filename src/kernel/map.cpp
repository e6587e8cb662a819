// SPDX-License-Identifier: Apache-2.0
#include "kernel/map.h"

#include "kernel/options.h"

#include <bpf/libbpf.h>
#include <cerrno>
#include <fmt/format.h>

namespace sallyport {

Result<Fd> create_map(const InnerMap& map) {
    bpf_map_create_opts options = sized<bpf_map_create_opts>();
    options.map_flags = map.flags;
    const int fd =
        bpf_map_create(map.type, map.name, map.key_size, map.value_size, map.max_entries, &options);
    if (fd < 0)
        return fail_errno(-fd,
                          fmt::format("creating map {} of {} entries", map.name, map.max_entries),
                          fd == -ENOMEM ? "free memory, or load a smaller policy" : "");
    return Fd(fd);
}

Result<Fd> open_pinned(const std::string& path) {
    const int fd = bpf_obj_get(path.c_str());
    if (fd < 0) return fail_errno(-fd, "opening " + path);
    return Fd(fd);
}

Status update_bytes(int map, const void* key, const void* value) {
    const int error = bpf_map_update_elem(map, key, value, BPF_ANY);
    if (error < 0) return fail_errno(-error, "writing a map entry");
    return {};
}

Result<bool> lookup_bytes(int map, const void* key, void* value) {
    const int error = bpf_map_lookup_elem(map, key, value);
    if (error == -ENOENT) return false;
    if (error < 0) return fail_errno(-error, "reading a map entry");
    return true;
}

Status delete_bytes(int map, const void* key) {
    const int error = bpf_map_delete_elem(map, key);
    if (error < 0 && error != -ENOENT) return fail_errno(-error, "deleting a map entry");
    return {};
}

Status update_batch(int map, const void* keys, const void* values, std::uint32_t count) {
    if (count == 0) return {};
    const bpf_map_batch_opts options = sized<bpf_map_batch_opts>();
    std::uint32_t done = count;
    const int error = bpf_map_update_batch(map, keys, values, &done, &options);
    if (error < 0)
        return fail_errno(-error,
                          fmt::format("filling a map, {} of {} entries written", done, count));
    return {};
}

Result<std::vector<std::uint64_t>> read_percpu(int map, std::uint32_t key, std::size_t words) {
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0) return fail_errno(-cpus, "counting CPUs");
    std::vector<std::uint64_t> values(static_cast<std::size_t>(cpus) * words);
    const int error = bpf_map_lookup_elem(map, &key, values.data());
    if (error < 0) return fail_errno(-error, "reading a counter");
    std::vector<std::uint64_t> sums(words);
    for (std::size_t i = 0; i < values.size(); i++) sums[i % words] += values[i];
    return sums;
}

} // namespace sallyport
