// SPDX-License-Identifier: Apache-2.0
#include "daemon/contents_hash.h"

#include "base/sha256.h"

namespace sallyport {

std::string contents_hash(const std::string& sha256,
                          const std::map<std::string, std::string>& files) {
    std::string all = sha256;
    for (const auto& [path, hash] : files) {
        all += hash; // as long as every other: no two lists read the same
        all += path;
        all += '\0';
    }
    return sha256_hex(all);
}

std::string contents_hash(const PolicyText& text, const std::string& sha256) {
    std::map<std::string, std::string> hashes;
    for (const auto& [path, content] : text.files) hashes[path] = sha256_hex(content);
    return contents_hash(sha256, hashes);
}

} // namespace sallyport
