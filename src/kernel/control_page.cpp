// SPDX-License-Identifier: Apache-2.0
#include "kernel/control_page.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace sallyport {

Result<ControlPage> ControlPage::open(int map) {
    const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* page = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    if (page == MAP_FAILED) return fail_errno(errno, "mapping the control word");
    return ControlPage(static_cast<std::uint64_t*>(page), size);
}

ControlPage::ControlPage(ControlPage&& other) noexcept
    : word_(std::exchange(other.word_, nullptr)), size_(other.size_) {}

ControlPage::~ControlPage() {
    if (word_) munmap(word_, size_);
}

} // namespace sallyport
