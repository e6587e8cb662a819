// SPDX-License-Identifier: Apache-2.0
#pragma once
// libbpf's options know their own size. Its LIBBPF_OPTS is C99 that clang, in C++
// and with all warnings on, refuses.
namespace sallyport {

template <typename T> [[nodiscard]] T sized() {
    T options{};
    options.sz = sizeof(T);
    return options;
}

} // namespace sallyport
