// SPDX-License-Identifier: Apache-2.0
#include "daemon/user_names.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>

using namespace sallyport;
using namespace sallyport::test;

TEST_CASE("a user's name is that of the first line with his number") {
    const TempDir root;
    std::ofstream(root / "passwd") << "root:x:0:0:root:/root:/bin/bash\n"
                                      "toor:x:0:0::/root:/bin/sh\n"
                                      "ml:x:1001:1001::/home/ml:/bin/bash\n"
                                      ":x:7:7::/:\nbad\nbad:x\nbad:x:\nbad:x:8\nbad:x:9z:1:::\n"
                                      "bad:x:99999999999:1:::\nlast:x:10:10:::";
    UserNames names(root / "passwd");
    CHECK(names.name_of(0) == "root");
    CHECK(names.name_of(1001) == "ml");
    CHECK(names.name_of(10) == "last");
    for (const std::uint32_t uid : {1u, 7u, 8u, 9u, 65534u}) CHECK(names.name_of(uid).empty());
}

TEST_CASE("a user who comes later is known, and one who goes is not") {
    const TempDir root;
    UserNames names(root / "passwd");
    CHECK(names.name_of(1001).empty());
    std::ofstream(root / "passwd") << "ml:x:1001:1001:::\n";
    CHECK(names.name_of(1001) == "ml");
    std::ofstream(root / "passwd") << "rag-worker:x:1002:1002:::\n";
    CHECK(names.name_of(1001).empty());
    CHECK(names.name_of(1002) == "rag-worker");
    std::filesystem::remove(root / "passwd");
    CHECK(names.name_of(1002).empty());
}
