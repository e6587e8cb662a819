// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the JSON library's exceptions say, for people.
#include <string>
#include <string_view>

namespace sallyport {

// `what` without its tag in brackets: "[json.exception.type_error.302] type must be ...".
[[nodiscard]] std::string json_words(std::string_view what);

} // namespace sallyport
