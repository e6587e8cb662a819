// SPDX-License-Identifier: Apache-2.0
#pragma once
// One setting of two policies: values are compared, and text does no more than tell of them.
#include "diff/difference.h"
#include "diff/sets.h"

#include <string>
#include <utility>
#include <vector>

namespace sallyport::diff {

template <class Value, class Text>
void compare_setting(std::string key, const Value& before, const Value& after, const Text& text_of,
                     std::vector<SettingChange>& changes) {
    if (!(before == after))
        changes.push_back(
            {.key = std::move(key), .before = text_of(before), .after = text_of(after)});
}

// Told by what came and what went.
void tell_sets(std::string key, SetId went, SetId came, const Sets& sets,
               std::vector<SettingChange>& changes);

void compare_jails(const Policy& before, const Policy& after, Sets& sets,
                   std::vector<SettingChange>& changes);

} // namespace sallyport::diff
