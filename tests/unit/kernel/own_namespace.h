// SPDX-License-Identifier: Apache-2.0
#pragma once
// A fresh network namespace for one piece of a test, whose thread alone moves.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <sched.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace sallyport::test {

inline void run_command(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
}

// What `work` throws, a failed assertion too, is thrown on.
inline void in_own_namespace(const std::function<void()>& work) {
    if (geteuid() != 0) SKIP("only root may make a network namespace");
    std::exception_ptr failed;
    std::thread([&] {
        try {
            REQUIRE(unshare(CLONE_NEWNET) == 0);
            work();
        } catch (...) {
            failed = std::current_exception();
        }
    }).join();
    if (failed) std::rethrow_exception(failed);
}

} // namespace sallyport::test
