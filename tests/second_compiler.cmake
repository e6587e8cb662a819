# SPDX-License-Identifier: Apache-2.0
# The BPF programs once more, by clang 14 where the distribution has it: what one
# compiler makes the verifier accept, another may not. The prog tier loads the
# object (tests/prog/second_compiler_test.cpp).
find_program(BPF_CLANG_14 NAMES clang-14)
if(NOT BPF_CLANG_14)
    message(STATUS "No clang-14: the BPF programs are tested with one compiler")
    return()
endif()

set(second_dir ${CMAKE_BINARY_DIR}/bpf/clang14)
file(MAKE_DIRECTORY ${second_dir})
file(GLOB bpf_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.bpf.c)
set(second_objects)
foreach(source ${bpf_sources})
    get_filename_component(stem ${source} NAME_WLE)
    sp_bpf_compile(${BPF_CLANG_14} ${source} ${second_dir}/${stem}.o)
    list(APPEND second_objects ${second_dir}/${stem}.o)
endforeach()
add_custom_command(
    OUTPUT ${second_dir}/sp_bpf.o
    COMMAND ${BPFTOOL} gen object ${second_dir}/sp_bpf.o ${second_objects}
    COMMAND ${LLVM_STRIP} -g ${second_dir}/sp_bpf.o
    DEPENDS ${second_objects}
    VERBATIM)
add_custom_target(bpf_clang14 DEPENDS ${second_dir}/sp_bpf.o)
add_dependencies(prog_tests bpf_clang14)
target_compile_definitions(prog_tests PRIVATE SP_SECOND_OBJECT="${second_dir}/sp_bpf.o")
