// SPDX-License-Identifier: Apache-2.0
#include "support/instance.h"

#include "base/result.h"
#include "support/machine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>

namespace sallyport::test {
namespace {

int keep_event(void* context, void* data, std::size_t size) {
    SP_CHECK(size == sizeof(sp_event));
    sp_event event{};
    std::memcpy(&event, data, sizeof(event));
    static_cast<std::vector<sp_event>*>(context)->push_back(event);
    return 0;
}

int keep_capture(void* context, void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    static_cast<std::vector<std::vector<std::byte>>*>(context)->emplace_back(bytes, bytes + size);
    return 0;
}

} // namespace

void Instance::FreeRing::operator()(ring_buffer* ring) const {
    ring_buffer__free(ring);
}

Instance::Instance(Programs programs, const sp_settings& settings)
    : programs_(std::move(programs)), settings_(settings),
      ring_(ring_buffer__new(maps().events, keep_event, &events_, nullptr)),
      capture_ring_(ring_buffer__new(maps().captures, keep_capture, &captures_, nullptr)) {
    SP_CHECK(ring_ != nullptr && capture_ring_ != nullptr);
    SP_CHECK(ring_buffer__add(ring_.get(), maps().leaving, keep_event, &events_) == 0);
}

Instance& Instance::with(const sp_settings& settings) {
    static std::list<std::unique_ptr<Instance>> instances;
    enter_machine();
    for (const std::unique_ptr<Instance>& instance : instances) {
        if (std::memcmp(&instance->settings_, &settings, sizeof(settings)) == 0) return *instance;
    }
    Result<Programs> programs = Programs::load(LoadOptions{.settings = settings, .pin_dir = {}});
    if (!programs) {
        std::fprintf(stderr, "%s\n%s\n", programs.error().text().c_str(),
                     programs.error().verifier_log.c_str());
        std::abort();
    }
    instances.push_back(std::unique_ptr<Instance>(new Instance(std::move(*programs), settings)));
    return *instances.back();
}

std::vector<sp_event> Instance::take_events() {
    ring_buffer__consume(ring_.get());
    return std::exchange(events_, {});
}

std::vector<std::vector<std::byte>> Instance::take_captures() {
    ring_buffer__consume(capture_ring_.get());
    return std::exchange(captures_, {});
}

void Instance::forget_flows() {
    constexpr std::size_t kSetSize = 16 + SP_FLOW_WAYS * sizeof(sp_flow);
    const std::vector<std::uint8_t> empty(kSetSize);
    for (std::uint32_t set = 0; set < settings_.flow_sets; ++set) {
        SP_CHECK(bpf_map_update_elem(maps().flows, &set, empty.data(), BPF_ANY) == 0);
    }
    const std::uint32_t zero = 0;
    const std::uint64_t none = 0;
    SP_CHECK(bpf_map_update_elem(maps().flow_count, &zero, &none, BPF_ANY) == 0);
}

sp_settings bench_settings() {
    sp_settings settings{};
    settings.secret[0] = 0x5a11900d5a11900d;
    settings.secret[1] = 0x0123456789abcdef;
    settings.host_cgroup = 1; // inode of the hierarchy's root, which is its id
    settings.flow_sets = 256;
    settings.flow_max = 256 * SP_FLOW_WAYS * 3 / 4;
    return settings;
}

} // namespace sallyport::test
