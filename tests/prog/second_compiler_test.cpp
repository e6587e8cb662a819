// SPDX-License-Identifier: Apache-2.0
// The programs as another compiler makes them: the verifier takes them too.
#include "support/machine.h"

#include <bit>
#include <bpf/libbpf.h>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>

using namespace sallyport::test;

#ifdef SP_SECOND_OBJECT
namespace {

std::string* log_to = nullptr;

int keep(libbpf_print_level level, const char* format, va_list arguments) {
    if (level == LIBBPF_DEBUG || log_to == nullptr) return 0;
    char line[1024];
    int size = vsnprintf(line, sizeof(line), format, arguments);
    *log_to += line;
    return size;
}

struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};

} // namespace
#endif

TEST_CASE("the object that clang 14 compiles is loaded by the kernel") {
#ifdef SP_SECOND_OBJECT
    std::string log;
    log_to = &log;
    libbpf_print_fn_t before = libbpf_set_print(keep);
    std::unique_ptr<bpf_object, CloseObject> object{
        bpf_object__open_file(SP_SECOND_OBJECT, nullptr)};
    bpf_program* program = nullptr;
    if (object && !has_netfilter_programs()) {
        bpf_object__for_each_program(program, object.get()) {
            if (bpf_program__type(program) == std::bit_cast<bpf_prog_type>(32u))
                bpf_program__set_autoload(program, false);
        }
    }
    int result = object ? bpf_object__load(object.get()) : -1;
    libbpf_set_print(before);
    log_to = nullptr;
    INFO(log);
    REQUIRE(object != nullptr);
    CHECK(result == 0);
#else
    SKIP("no clang-14 where this was built");
#endif
}
