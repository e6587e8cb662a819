// SPDX-License-Identifier: Apache-2.0
#pragma once
// A set of classes in the words of those who wrote the policy.
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::diff {

// What has a name, and the classes (ascending) that it stands for.
using Named = std::vector<std::pair<std::string, std::vector<std::size_t>>>;

// `classes`, ascending, out of `count`: empty when they are all, else names whose classes are
// these, "all but" names when those say it, and examples of what no name says.
[[nodiscard]] std::string in_words(const std::vector<std::size_t>& classes, std::size_t count,
                                   const Named& named,
                                   const std::function<std::string(std::size_t)>& example);
[[nodiscard]] std::string joined(const std::vector<std::string>& words);
// Each in quotes, so that no text of one is taken for two.
[[nodiscard]] std::string quoted(const std::vector<std::string>& words);

} // namespace sallyport::diff
