// SPDX-License-Identifier: Apache-2.0
#pragma once
// How deep brackets nest in JSON that came from elsewhere: a parsed value is copied and
// printed by recursion, so depth is stack.
#include <cstddef>
#include <string_view>

namespace sallyport {

// Are there more than `most` brackets open at once, those in strings not counted? Of text
// that is no JSON it may say either.
[[nodiscard]] bool nests_beyond(std::string_view json, std::size_t most);

} // namespace sallyport
