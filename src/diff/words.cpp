// SPDX-License-Identifier: Apache-2.0
#include "diff/words.h"

#include <algorithm>

namespace sallyport::diff {
namespace {

using Classes = std::vector<std::size_t>;

Classes without(const Classes& a, const Classes& b) {
    Classes left;
    std::ranges::set_difference(a, b, std::back_inserter(left));
    return left;
}

// Names of parts of `classes`, the largest first; `left` is what they do not say.
std::vector<std::string> cover(const Classes& classes, const Named& named, Classes& left) {
    std::vector<std::string> names;
    left = classes;
    for (;;) {
        const std::pair<std::string, Classes>* best = nullptr;
        std::size_t most = 0;
        for (const auto& one : named) {
            if (!std::ranges::includes(classes, one.second)) continue;
            const std::size_t gain = left.size() - without(left, one.second).size();
            if (gain <= most) continue;
            best = &one;
            most = gain;
        }
        if (best == nullptr) return names;
        names.push_back(best->first);
        left = without(left, best->second);
    }
}

} // namespace

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string quoted(const std::vector<std::string>& words) {
    std::vector<std::string> each;
    for (const std::string& word : words) {
        std::string text = "\"";
        for (const char c : word) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        each.push_back(text + "\"");
    }
    return each.empty() ? "none" : joined(each);
}

std::string in_words(const Classes& classes, std::size_t count, const Named& named,
                     const std::function<std::string(std::size_t)>& example) {
    Classes all(count);
    for (std::size_t i = 0; i < count; ++i) all[i] = i;
    if (classes == all) return {};
    Classes left;
    std::vector<std::string> names = cover(classes, named, left);
    if (left.empty()) return joined(names);
    Classes unsaid;
    const std::vector<std::string> others = cover(without(all, classes), named, unsaid);
    if (unsaid.empty()) return "all but " + joined(others);
    for (const std::size_t one : left) names.push_back(example(one));
    return joined(names);
}

} // namespace sallyport::diff
