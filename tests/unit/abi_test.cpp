// SPDX-License-Identifier: Apache-2.0
// The contract with the kernel: names that bpftool shows whole, reasons that
// are one dense list, values whose size both sides agree on.
#include "sallyport/abi/control.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"
#include "sallyport/abi/types.h"

#include <bpf/libbpf.h>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

struct ReasonRow {
    std::string name;
    unsigned number;
    std::string slug;
    std::string meaning;
};

std::vector<ReasonRow> reasons() {
    return {
#define X(name, number, slug, meaning) {#name, number, slug, meaning},
        SP_REASONS(X)
#undef X
    };
}

struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;

Object built_object() {
    Object object{bpf_object__open_file(SP_BINARY_DIR "/bpf/sp_bpf/sp_bpf.o", nullptr)};
    REQUIRE(object != nullptr);
    return object;
}

constexpr std::size_t kNameMax = 15; // BPF_OBJ_NAME_LEN less the zero

// The loader's own maps: .rodata and the like.
bool is_section(const std::string& name) {
    return name.find('.') != std::string::npos;
}

} // namespace

TEST_CASE("reasons are numbered from 1 without a gap, and the list's end is one past the last") {
    unsigned expected = 1;
    for (const ReasonRow& row : reasons()) {
        INFO(row.name);
        CHECK(row.number == expected++);
    }
    CHECK(static_cast<unsigned>(SP_REASON_END) == expected);
    CHECK(static_cast<unsigned>(SP_REASON_END) <= SP_REASON_MAX);
    CHECK(static_cast<unsigned>(SP_REASON_NONE) == 0);
}

TEST_CASE("every reason has a slug of its own, in lower case and hyphens, and a meaning") {
    std::set<std::string> slugs;
    for (const ReasonRow& row : reasons()) {
        INFO(row.name);
        CHECK(slugs.insert(row.slug).second);
        CHECK_FALSE(row.slug.empty());
        CHECK_FALSE(row.meaning.empty());
        std::string expected;
        for (char c : row.name) {
            expected +=
                c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        CHECK(row.slug == expected);
    }
}

TEST_CASE("drops, would-be drops and the other counters have places of their own") {
    CHECK(SP_COUNT_DROPS + SP_REASON_MAX <= SP_COUNT_WOULD_DROPS);
    CHECK(SP_COUNT_WOULD_DROPS + SP_REASON_MAX <= SP_COUNT_EVENTS_SENT);
    CHECK(SP_COUNT_FLOWS_REFUSED < SP_COUNT_HOOK_ADMITTED);
    CHECK(SP_COUNT_HOOK_ADMITTED + static_cast<unsigned>(SP_HOOKS) <= SP_COUNT_HOOK_DROPPED);
    CHECK(SP_COUNT_HOOK_DROPPED + static_cast<unsigned>(SP_HOOKS) <= SP_COUNTS);
}

TEST_CASE("the control word gives back what was put into it, at both ends of each field") {
    for (__u32 active : {0u, 1u, 255u}) {
        for (__u32 fallback : {0u, 3u, 255u}) {
            for (__u64 deadline : {__u64{0}, __u64{1}, (__u64{1} << 48) - 1}) {
                __u64 word = sp_control_word(active, fallback, deadline);
                CHECK(sp_control_active(word) == active);
                CHECK(sp_control_fallback(word) == fallback);
                CHECK(sp_control_deadline_ms(word) == deadline);
            }
        }
    }
    CHECK(sp_control_word(256, 256, 0) == 0); // a slot out of range never spills into its neighbour
}

TEST_CASE("places on the service line do not overlap, and the line fills whole chunks") {
    CHECK(SP_LINE_TCP + 65536 == SP_LINE_UDP);
    CHECK(SP_LINE_UDP + 65536 == SP_LINE_SCTP);
    CHECK(SP_LINE_SCTP + 65536 == SP_LINE_UDPLITE);
    CHECK(SP_LINE_UDPLITE + 65536 == SP_LINE_PROTO);
    CHECK(SP_LINE_ICMP6 + 256 == SP_LINE_END);
    CHECK(SP_DIRECTIONS * SP_LINE_END % SP_CHUNK_WORDS == 0);
}

TEST_CASE("the hash of the IPv6 bitmap stays within it and tells its levels apart") {
    const __u64 first48 = 0x20010db80000;
    CHECK(sp_v6_bit(first48, SP_V6_LEVEL_16) < SP_V6_BITS);
    CHECK(sp_v6_bit(0xffffffffffff, SP_V6_LEVEL_48) < SP_V6_BITS);
    CHECK(sp_v6_bit(first48, SP_V6_LEVEL_32) != sp_v6_bit(first48, SP_V6_LEVEL_48));
}

TEST_CASE("maps and programs are named sp_*, short enough for the kernel to keep the whole name") {
    Object object = built_object();
    std::size_t maps = 0;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object.get()) {
        std::string name = bpf_map__name(map);
        if (is_section(name)) continue;
        INFO(name);
        CHECK(name.starts_with("sp_"));
        CHECK(name.size() <= kNameMax);
        ++maps;
    }
    std::size_t programs = 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get()) {
        std::string name = bpf_program__name(program);
        INFO(name);
        CHECK(name.starts_with("sp_"));
        CHECK(name.size() <= kNameMax);
        ++programs;
    }
    CHECK(maps >= 20);
    CHECK(programs >= 8);
}

TEST_CASE("keys and values of the maps in the object have the sizes of the header") {
    struct Shape {
        std::size_t key;
        std::size_t value;
    };
    const std::map<std::string, Shape> expected{
        {"sp_control", {4, sizeof(sp_control)}},
        {"sp_slots", {4, sizeof(sp_slot)}},
        {"sp_cgroups", {sizeof(sp_cg_key), 4}},
        {"sp_ifaces", {4, sizeof(sp_iface)}},
        {"sp_local", {sizeof(sp_addr), 4}},
        {"sp_flows", {4, 16 + SP_FLOW_WAYS * sizeof(sp_flow)}},
        {"sp_counts", {4, 8}},
        {"sp_nic_counts", {4, sizeof(sp_nic_count)}},
        {"sp_rule_counts", {4, sizeof(sp_rule_count)}},
        {"sp_meta", {4, sizeof(sp_settings)}},
    };
    Object object = built_object();
    for (const auto& [name, shape] : expected) {
        INFO(name);
        bpf_map* map = bpf_object__find_map_by_name(object.get(), name.c_str());
        REQUIRE(map != nullptr);
        CHECK(bpf_map__key_size(map) == shape.key);
        CHECK(bpf_map__value_size(map) == shape.value);
    }
}
