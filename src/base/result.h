// SPDX-License-Identifier: Apache-2.0
#pragma once
// Errors are values. Every function that can fail returns Result<T>; nothing
// of ours throws. A Result must be looked at: the type is [[nodiscard]]. There
// are three ways to do so: SP_TRY(expr), which returns the error onwards and
// yields the value; `if (!result)` by hand; and SP_CHECK for what cannot be.
//
// An Error is written for an operator: `message` says what failed and on what,
// `hint` what to do next. Callers add what they were doing with context().
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport {

enum class ErrorKind : std::uint8_t {
    invalid_input, // the user's file or arguments
    not_supported, // this kernel or machine cannot
    permission,    // a capability or file permission is missing
    kernel,        // a system call failed
    conflict,      // something else holds what is needed
    not_found,     // what was asked for is not there
    internal,      // a defect of ours
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string message;
    std::string hint;                  // empty: none
    std::vector<std::string> contexts; // innermost first
    std::string verifier_log;          // empty: none

    [[nodiscard]] Error&& context(std::string what) && {
        contexts.push_back(std::move(what));
        return std::move(*this);
    }
    // One line, outermost context first: "guarding eth0: attaching XDP: Device or resource busy".
    [[nodiscard]] std::string text() const;
};

template <typename T> class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
    // Adds what was being done, when this is an error.
    [[nodiscard]] Result&& context(std::string what) && {
        if (!*this) this->error().contexts.push_back(std::move(what));
        return std::move(*this);
    }
};

using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string message,
                                                 std::string hint = {}) {
    return std::unexpected<Error>(Error{.kind = kind,
                                        .message = std::move(message),
                                        .hint = std::move(hint),
                                        .contexts = {},
                                        .verifier_log = {}});
}

// A failed system call: "what: strerror(number)", EPERM and EACCES as permission.
[[nodiscard]] std::unexpected<Error> fail_errno(int number, std::string_view what,
                                                std::string hint = {});

// Says where a broken invariant was met, then aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

} // namespace sallyport

#define SP_TRY(expression)                                                                         \
    __extension__({                                                                                \
        auto sp_result = (expression);                                                             \
        if (!sp_result) return std::unexpected<::sallyport::Error>(std::move(sp_result).error());  \
        *std::move(sp_result);                                                                     \
    })

#define SP_CHECK(condition)                                                                        \
    ((condition) ? static_cast<void>(0) : ::sallyport::check_failed(#condition, __FILE__, __LINE__))
