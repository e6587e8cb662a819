// SPDX-License-Identifier: Apache-2.0
#pragma once
// A directory of the test's own, gone with it.
#include "base/result.h"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sallyport::test {

class TempDir {
  public:
    TempDir() {
        std::string pattern = std::filesystem::temp_directory_path() / "sallyport-XXXXXX";
        SP_CHECK(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

} // namespace sallyport::test
