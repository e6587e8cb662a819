// SPDX-License-Identifier: Apache-2.0
#include "support/bench.h"

#include "compile/compile.h"
#include "kernel/apply.h"
#include "support/counters.h"
#include "support/fragment_table.h"
#include "support/limit_table.h"
#include "support/machine.h"
#include "support/story.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace sallyport::test {
namespace {

const std::vector<std::string> kInterfaces{"eth0", "eth1", "eth2", "en00", "wg0"};
constexpr std::uint64_t kNobodysCgroup = 0x7fffffffffff;
constexpr std::uint32_t kAskedSlot = 2;

Instance& instance_of(const BenchOptions& options) {
    sp_settings settings = bench_settings();
    if (options.sender == Sender::outside) settings.host_cgroup = kNobodysCgroup;
    settings.flow_sets = options.flow_sets;
    settings.flow_max = options.flow_max;
    settings.forget_flows = options.forget_flows;
    settings.forward_hook = options.forward_hook;
    if (options.role == Role::asking) settings.ask_slot = kAskedSlot;
    return Instance::with(settings);
}

sp_addr abi_address(const std::string& text) {
    sp_addr address{};
    Bytes bytes = mapped_bytes(text);
    std::ranges::copy(bytes, address.bytes);
    return address;
}

// BPF_PROG_TEST_RUN has a netfilter program see the packet come from nowhere (6.18; ifindex
// 0) and leave by loopback.
constexpr std::uint32_t kNowhere = 0;
constexpr std::uint32_t kLoopback = 1;

bool passes_by(sp_hook hook, std::uint32_t action, std::vector<std::string>& disagreements) {
    auto either = [&](bool pass, bool drop) {
        if (!pass && !drop)
            disagreements.push_back("the program returned " + std::to_string(action));
        return pass;
    };
    switch (hook) {
    case SP_HOOK_XDP:
        return either(action == 2, action == 1); // XDP_PASS, XDP_DROP
    case SP_HOOK_CGROUP:
        return either(action == 1, action == 0);
    case SP_HOOK_TC: // TC_ACT_UNSPEC lets the next program judge, TC_ACT_OK does not; TC_ACT_SHOT
        return either(action == 0xffffffffu || action == 0, action == 2);
    case SP_HOOK_FORWARD:
        // NF_ACCEPT, NF_DROP; the TC program in its place
        return either(action == 1 || action == 0xffffffffu, action == 0 || action == 2);
    case SP_HOOK_CONNECT:
    case SP_HOOK_SENDMSG:
    case SP_HOOK_HOLD:
    case SP_HOOK_SOCKET:
    case SP_HOOKS:
        break; // test-run does not know them, or the bench does not
    }
    disagreements.push_back("hook " + std::to_string(hook) + " cannot be run");
    return false;
}

} // namespace

Bench::Bench(const std::string& policy, const BenchOptions& options)
    : Bench(parsed(policy, options.host), options) {}

Bench::Bench(const Policy& policy, const BenchOptions& options)
    : options_(options), instance_(&instance_of(options)), ticket_(instance_->take()) {
    instance_->forget_flows();
    forget_fragments(*instance_);
    static_cast<void>(instance_->take_events());
    for (const auto& [address, flags] :
         std::initializer_list<std::pair<const char*, std::uint32_t>>{
             {kHost4, SP_LOCAL_HOST}, {kHost6, SP_LOCAL_HOST}, {kHostLink6, SP_LOCAL_HOST}}) {
        set_local(address, flags);
    }
    use(policy);
    if (!image_.limits.empty()) forget_limits(*instance_);
}

void Bench::reload(const std::string& policy) {
    use(parsed(policy, options_.host));
}

void Bench::use(const Policy& policy) {
    policy_ = policy;
    CompileInput input{.generation = instance_->next_generation(),
                       .interfaces = kInterfaces,
                       .counters = counters_};
    Result<MapImage> image = compile(policy_, input);
    if (!image) FAIL(image.error().text());
    image_ = std::move(*image);
    for (std::size_t i = 0; i < image_.rules.size(); ++i) {
        auto [known, fresh] = counters_.insert({image_.rule_names[i], image_.rules[i].counter});
        if (fresh) clear_rule_count(maps(), known->second);
    }
    Result<std::uint32_t> slot = options_.role == Role::asking ? kAskedSlot : free_slot(maps());
    if (!slot) FAIL(slot.error().text());
    slot_ = *slot;
    describe_interfaces();
    Status filled = fill_slot(maps(), slot_, image_);
    if (!filled) FAIL(filled.error().text());
    if (options_.role == Role::asking) return;
    Status active = activate(maps(), slot_);
    if (!active) FAIL(active.error().text());
}

void Bench::describe_interfaces() {
    Bytes mac = mac_bytes(kHostMac);
    std::uint32_t counter = 1;
    for (const std::string& name : kInterfaces) {
        sp_iface value = iface(name);
        value.link = name == "wg0" ? SP_LINK_IP : SP_LINK_ETHERNET;
        value.guarded = name == "eth2" ? 0 : 1;
        value.counter = counter++;
        std::ranges::copy(mac, value.mac);
        for (const InterfaceClass& known : image_.interfaces) {
            if (known.name == name) value.iface_class[slot_] = known.number;
        }
        set_iface(name, value);
    }
}

void Bench::set_control(std::uint64_t word) {
    const std::uint32_t zero = 0;
    const sp_control control{.word = word};
    SP_CHECK(bpf_map_update_elem(maps().control, &zero, &control, BPF_ANY) == 0);
}

Seen Bench::xdp(const Packet& packet, const std::string& interface) {
    return xdp(packet.bytes(), interface);
}

Seen Bench::xdp(const Bytes& frame, const std::string& interface) {
    return run(SP_HOOK_XDP, frame, interface, SkbContext{.ifindex = ifindex_of(interface)});
}

Seen Bench::cgroup(const Packet& packet, const std::string& interface) {
    return cgroup(packet.bytes(), interface);
}

Seen Bench::cgroup(const Bytes& frame, const std::string& interface) {
    return run(SP_HOOK_CGROUP, frame, interface, SkbContext{.ifindex = ifindex_of(interface)});
}

Seen Bench::tc(const Packet& packet, const std::string& interface) {
    return tc(packet.bytes(), interface);
}

Seen Bench::tc(const Bytes& frame, const std::string& interface) {
    return run(SP_HOOK_TC, frame, interface, SkbContext{.ifindex = ifindex_of(interface)});
}

Seen Bench::forward(const Packet& packet, const std::string& interface) {
    return forward(packet.bytes(), interface);
}

Seen Bench::forward(const Bytes& frame, const std::string& interface) {
    return run(SP_HOOK_FORWARD, frame, interface, SkbContext{.ifindex = ifindex_of(interface)});
}

Result<RunResult> Bench::run_program(sp_hook hook, const Bytes& frame, const std::string& interface,
                                     const SkbContext& skb) {
    const Programs& programs = instance_->programs();
    switch (hook) {
    case SP_HOOK_XDP:
        return run_xdp(programs.fd(Program::xdp), frame, skb.ifindex);
    case SP_HOOK_CGROUP:
        return run_skb(programs.fd(Program::cg_egress), frame, skb);
    case SP_HOOK_FORWARD: {
        if (options_.forward_hook != SP_FORWARD_NETFILTER)
            return run_skb(programs.fd(Program::tc_forward), frame, skb);
        const sp_iface as = iface(interface);
        for (const std::uint32_t end : {kNowhere, kLoopback})
            SP_CHECK(bpf_map_update_elem(maps().ifaces, &end, &as, BPF_ANY) == 0);
        return run_netfilter(programs.fd(Program::nf_forward), frame);
    }
    default:
        return run_skb(programs.fd(Program::tc_egress), frame, skb);
    }
}

Seen Bench::run(sp_hook hook, const Bytes& frame, const std::string& interface,
                const SkbContext& skb) {
    if (!instance_->is_for(ticket_))
        FAIL("a later bench has taken the programs: use one at a time");
    std::uint32_t ifindex = ifindex_of(interface);
    if (hook == SP_HOOK_FORWARD && options_.forward_hook == SP_FORWARD_NETFILTER)
        ifindex = kNowhere;
    std::uint32_t nic = iface(interface).counter;
    Story before = read_story(maps(), image_, nic);
    Result<RunResult> result = run_program(hook, frame, interface, skb);
    if (!result) FAIL(result.error().text());
    Story after = read_story(maps(), image_, nic);
    Seen seen;
    seen.events = instance_->take_events();
    seen.passed = passes_by(hook, result->action, seen.disagreements);
    Story rose = rise(before, after);
    if (options_.role == Role::asking) {
        if (!seen.events.empty() || !is_still(rose))
            seen.disagreements.push_back("asking has left a trace");
        return seen;
    }
    bool netfilter = hook == SP_HOOK_FORWARD && options_.forward_hook == SP_FORWARD_NETFILTER;
    bool bare = hook != SP_HOOK_CGROUP && !netfilter && iface(interface).link == SP_LINK_IP;
    LinkType link = bare ? LinkType::bare_ip : LinkType::ethernet;
    std::uint32_t generation = generation_in_force();
    tell(seen,
         Telling{.hook = hook,
                 .frame = frame,
                 .link = link,
                 .ifindex = ifindex,
                 .image = image_,
                 .generation = generation,
                 .from_ip_header = netfilter},
         rose);
    return seen;
}

// Of the slot that the control word names now; 0 when it is empty.
std::uint32_t Bench::generation_in_force() const {
    std::uint64_t word = control_word(maps()).value_or(0);
    std::uint32_t active = sp_control_active(word);
    if (active == 0 || active >= SP_SLOTS) return 0;
    Result<sp_slot> slot = read_slot(maps(), active);
    return slot ? slot->generation : 0;
}

sp_rule_count Bench::rule_count(const std::string& rule) const {
    return read_rule_count(maps(), counters_.at(rule));
}

std::uint64_t Bench::flow_entries() const {
    const std::uint32_t zero = 0;
    std::uint64_t count = 0;
    SP_CHECK(bpf_map_lookup_elem(maps().flow_count, &zero, &count) == 0);
    return count;
}

void Bench::set_local(const std::string& address, std::uint32_t flags) {
    sp_addr key = abi_address(address);
    if (flags == 0) {
        bpf_map_delete_elem(maps().local, &key);
        return;
    }
    SP_CHECK(bpf_map_update_elem(maps().local, &key, &flags, BPF_ANY) == 0);
}

void Bench::set_iface(const std::string& interface, const sp_iface& iface) {
    std::uint32_t key = ifindex_of(interface);
    SP_CHECK(key != 0 && bpf_map_update_elem(maps().ifaces, &key, &iface, BPF_ANY) == 0);
}

sp_iface Bench::iface(const std::string& interface) const {
    std::uint32_t key = ifindex_of(interface);
    sp_iface value{};
    SP_CHECK(key != 0 && bpf_map_lookup_elem(maps().ifaces, &key, &value) == 0);
    return value;
}

const Programs& Bench::programs() const {
    return instance_->programs();
}
const Maps& Bench::maps() const {
    return instance_->maps();
}

} // namespace sallyport::test
