// SPDX-License-Identifier: Apache-2.0
#pragma once
// The network namespaces of this machine: our own, and those that other
// processes live in.
#include "base/fd.h"
#include "base/ip.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace sallyport {

// By which the kernel's programs know the calling thread's namespace. not_supported
// before 5.14.
[[nodiscard]] Result<std::uint64_t> netns_cookie();

// Lives, as the kernel sees it, for as long as this value does.
struct NetNamespace {
    Fd fd;
    std::uint64_t inode = 0; // of nsfs: names it among those that live
    pid_t pid = 0;           // one process that was in it
};

// Those that some process is in, but for the calling thread's own; by inode. What
// ends while we look, or may not be looked at, is left out.
[[nodiscard]] Result<std::vector<NetNamespace>> other_namespaces();

// Calls `work` in that namespace, in a thread of its own that ends with it, and
// waits: the caller stays where it is. An error when it could not go there.
[[nodiscard]] Status call_inside(const NetNamespace& where, const std::function<void()>& work);

// The same for what returns a Result, which is handed on: run_inside(ns, list_tcp).
template <typename Work>
[[nodiscard]] auto run_inside(const NetNamespace& where, Work&& work) -> decltype(work()) {
    std::optional<decltype(work())> result;
    const Status went = call_inside(where, [&] { result.emplace(work()); });
    if (!went) return std::unexpected<Error>(went.error());
    return *std::move(result);
}

inline constexpr std::size_t kElsewhereMax = 4096;

struct Elsewhere {
    std::vector<Address> addresses; // sorted, distinct; at most kElsewhereMax
    std::size_t left_out = 0;       // addresses beyond that
    std::size_t unread = 0;         // namespaces that could not be asked
};

// The host addresses of the other namespaces' interfaces, but for their loopbacks.
[[nodiscard]] Result<Elsewhere> addresses_elsewhere();

} // namespace sallyport
