// SPDX-License-Identifier: Apache-2.0
#pragma once
// The programs, loaded into the kernel and attached to nothing, with a reader
// on their ring. Loading is slow (the verifier), so instances are shared: one
// per process for each set of settings.
#include "kernel/programs.h"
#include "sallyport/abi/control.h"
#include "sallyport/abi/event.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

struct ring_buffer;

namespace sallyport::test {

class Instance {
  public:
    // Aborts with the verifier's log when the kernel refuses the programs.
    static Instance& with(const sp_settings& settings);

    [[nodiscard]] const Programs& programs() const { return programs_; }
    [[nodiscard]] const Maps& maps() const { return programs_.maps(); }
    [[nodiscard]] const sp_settings& settings() const { return settings_; }
    // Events since the last call, in order.
    [[nodiscard]] std::vector<sp_event> take_events();
    // Records of the ring of captures since the last call.
    [[nodiscard]] std::vector<std::vector<std::byte>> take_captures();
    // Empties the flow table, every entry of it.
    void forget_flows();
    [[nodiscard]] std::uint32_t next_generation() { return ++generation_; }
    // Who took it last has it.
    [[nodiscard]] std::uint64_t take() { return ++ticket_; }
    [[nodiscard]] bool is_for(std::uint64_t ticket) const { return ticket == ticket_; }

  private:
    Instance(Programs programs, const sp_settings& settings);

    struct FreeRing {
        void operator()(ring_buffer* ring) const;
    };
    Programs programs_;
    sp_settings settings_;
    std::vector<sp_event> events_;
    std::unique_ptr<ring_buffer, FreeRing> ring_;
    std::vector<std::vector<std::byte>> captures_;
    std::unique_ptr<ring_buffer, FreeRing> capture_ring_;
    std::uint32_t generation_ = 0;
    std::uint64_t ticket_ = 0;
};

// Settings as the bench's default has them: the machine's own namespace, the
// root of the cgroup hierarchy, a small flow table.
[[nodiscard]] sp_settings bench_settings();

} // namespace sallyport::test
