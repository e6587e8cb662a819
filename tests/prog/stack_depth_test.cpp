// SPDX-License-Identifier: Apache-2.0
// The oldest kernel counts stack more strictly than the one that runs this.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <string>

namespace {

int stack_depth(const std::string& object) {
    return std::system((SP_SOURCE_DIR "/tools/stack-depth " + object).c_str());
}

} // namespace

TEST_CASE("no chain of calls is deeper than Linux 6.1 lets pass") {
    CHECK(stack_depth(SP_BINARY_DIR "/bpf/sp_bpf/sp_bpf.o") == 0);
#ifdef SP_SECOND_OBJECT
    CHECK(stack_depth(SP_SECOND_OBJECT) == 0);
#endif
}

TEST_CASE("a chain of calls that is deeper is found, and so is a file without programs") {
    CHECK(stack_depth(SP_BINARY_DIR "/bpf/sp_bpf/sp_bpf.o 200") != 0);
    CHECK(stack_depth("/dev/null 2>/dev/null") != 0);
}
