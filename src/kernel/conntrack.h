// SPDX-License-Identifier: Apache-2.0
#pragma once
// What this kernel offers to programs that ask its connection tracking.
namespace sallyport {

// May an XDP program look connections up? Built in, or in the module once that is loaded.
[[nodiscard]] bool has_conntrack_kfuncs();

} // namespace sallyport
