# SPDX-License-Identifier: Apache-2.0
# sp_bpf_object(NAME SOURCE...): each SOURCE.bpf.c by clang, linked into one object
# by bpftool, and its skeleton as NAME.skel.h. INTERFACE target NAME carries the include
# directory (as a system one: generated code keeps no warnings) and the build order.
find_program(BPF_CLANG NAMES clang-19 clang-18 clang REQUIRED)
find_program(LLVM_STRIP NAMES llvm-strip-19 llvm-strip-18 llvm-strip REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
# Ubuntu's /usr/sbin/bpftool is a script that wants the running kernel's package; any version will do.
execute_process(COMMAND ${BPFTOOL} version RESULT_VARIABLE bpftool_failed OUTPUT_QUIET ERROR_QUIET)
if(bpftool_failed)
    file(GLOB bpftool_candidates /usr/lib/linux-tools-*/bpftool /usr/lib/linux-tools/*/bpftool)
    if(NOT bpftool_candidates)
        message(FATAL_ERROR "bpftool does not run; install bpftool (Debian) or linux-tools-generic (Ubuntu)")
    endif()
    list(GET bpftool_candidates 0 BPFTOOL)
endif()

set(SP_BPF_FLAGS -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror
    -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/bpf
    -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})

function(sp_bpf_compile compiler source output)
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${compiler} ${SP_BPF_FLAGS} -MD -MT ${output} -MF ${output}.d -c ${source} -o ${output}
        DEPENDS ${source}
        DEPFILE ${output}.d
        COMMENT "BPF ${output}"
        VERBATIM)
endfunction()

function(sp_bpf_object name)
    set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name})
    file(MAKE_DIRECTORY ${dir})
    set(objects)
    foreach(source ${ARGN})
        get_filename_component(stem ${source} NAME_WLE)
        set(object ${dir}/${stem}.o)
        sp_bpf_compile(${BPF_CLANG} ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${object})
        list(APPEND objects ${object})
    endforeach()
    add_custom_command(
        OUTPUT ${dir}/${name}.o ${dir}/${name}.skel.h
        COMMAND ${BPFTOOL} gen object ${dir}/${name}.o ${objects}
        COMMAND ${LLVM_STRIP} -g ${dir}/${name}.o
        COMMAND ${BPFTOOL} gen skeleton ${dir}/${name}.o name ${name} > ${dir}/${name}.skel.h
        DEPENDS ${objects}
        COMMENT "BPF skeleton ${name}.skel.h"
        VERBATIM)
    add_custom_target(${name}_skeleton DEPENDS ${dir}/${name}.skel.h)
    add_library(${name} INTERFACE)
    target_include_directories(${name} SYSTEM INTERFACE ${dir})
    add_dependencies(${name} ${name}_skeleton)
endfunction()
