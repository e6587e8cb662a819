// SPDX-License-Identifier: Apache-2.0
#include "base/json_words.h"

namespace sallyport {

std::string json_words(std::string_view what) {
    const std::size_t end = what.find("] ");
    if (what.starts_with("[json.exception") && end != what.npos) what.remove_prefix(end + 2);
    return std::string(what);
}

} // namespace sallyport
