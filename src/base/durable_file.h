// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that are whole under their name, or not there, also after the power was cut: what is
// in them is on disk before the name is, and the name is once these return.
#include "base/result.h"

#include <string>
#include <string_view>

namespace sallyport {

// A new file, or what is there written over: for one that gets its name later. Follows no
// symbolic link; readable by its owner alone.
[[nodiscard]] Status write_durably(const std::string& path, std::string_view text);
// The same beside it, as PATH.new, and renamed over it: an error leaves what was there.
[[nodiscard]] Status replace_durably(const std::string& path, std::string_view text,
                                     mode_t mode = 0600);
// Within one directory. A directory to be renamed has the names in it on disk first.
[[nodiscard]] Status rename_durably(const std::string& from, const std::string& to);
// Not there: nothing to do.
[[nodiscard]] Status remove_durably(const std::string& path);
// With all above it that is missing.
[[nodiscard]] Status make_directory_durably(const std::string& path);

} // namespace sallyport
