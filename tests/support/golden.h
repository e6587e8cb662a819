// SPDX-License-Identifier: Apache-2.0
#pragma once
// Expected text in files under tests/golden. With SALLYPORT_UPDATE_GOLDEN set, a
// test writes what it got instead; the diff is then the review.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace sallyport::test {

// What the file holds; empty when it is missing.
inline std::string golden(const std::string& name, const std::string& got) {
    const std::string path = std::string(SP_SOURCE_DIR) + "/tests/golden/" + name;
    if (std::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr)
        std::ofstream(path, std::ios::binary) << got;
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace sallyport::test
