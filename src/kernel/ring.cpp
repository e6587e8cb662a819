// SPDX-License-Identifier: Apache-2.0
#include "kernel/ring.h"

#include <bpf/libbpf.h>
#include <cerrno>

namespace sallyport {
namespace {

constexpr unsigned kAtOnce = 512;

} // namespace

struct RingReader::Impl {
    ring_buffer* ring = nullptr;
    Handler handler;
    unsigned left = 0;

    // A negative return ends libbpf's loop after the record is consumed.
    static int on_record(void* context, void* data, std::size_t size) {
        auto* self = static_cast<Impl*>(context);
        self->handler({static_cast<const std::byte*>(data), size});
        return --self->left == 0 ? -ECANCELED : 0;
    }
};

RingReader::RingReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingReader::RingReader(RingReader&&) noexcept = default;
RingReader& RingReader::operator=(RingReader&&) noexcept = default;
RingReader::~RingReader() {
    if (impl_) ring_buffer__free(impl_->ring);
}

Result<RingReader> RingReader::open(std::span<const int> maps, Handler handler) {
    auto impl = std::make_unique<Impl>();
    impl->handler = std::move(handler);
    impl->ring = ring_buffer__new(maps.front(), &Impl::on_record, impl.get(), nullptr);
    if (!impl->ring) return fail_errno(errno, "opening the event ring");
    RingReader reader(std::move(impl));
    for (const int map : maps.subspan(1)) {
        const int added =
            ring_buffer__add(reader.impl_->ring, map, &Impl::on_record, reader.impl_.get());
        if (added != 0) return fail_errno(-added, "opening the event ring");
    }
    return reader;
}

int RingReader::epoll_fd() const {
    return ring_buffer__epoll_fd(impl_->ring);
}

Result<bool> RingReader::drain() {
    impl_->left = kAtOnce;
    const int got = ring_buffer__consume(impl_->ring);
    if (got < 0 && got != -ECANCELED) return fail_errno(-got, "reading the event ring");
    return got == -ECANCELED;
}

} // namespace sallyport
