// SPDX-License-Identifier: Apache-2.0
// What each program costs the verifier, against what is recorded for this kernel in
// tests/vm/verifier-budget. The kernel's limit is a million instructions looked at;
// a program that creeps up to it is refused one day, on the kernel nobody tried.
#include "kernel/conntrack.h"
#include "sallyport/abi/control.h"
#include "sallyport/abi/question.h"
#include "sp_bpf.skel.h"
#include "support/instance.h"
#include "support/machine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <catch2/catch_test_macros.hpp>
#include <cstdarg>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <sys/utsname.h>
#include <vector>

using namespace sallyport;
using namespace sallyport::test;

namespace {

constexpr const char* kTable = SP_SOURCE_DIR "/tests/vm/verifier-budget";
constexpr const char* kHint = "record it: tools/verifier-budget --record";

// By program; nothing for one that this kernel refuses.
using Costs = std::map<std::string, std::optional<std::uint32_t>>;

struct DestroySkeleton {
    void operator()(sp_bpf* skeleton) const { sp_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<sp_bpf, DestroySkeleton>;

int say_nothing(libbpf_print_level /*level*/, const char* /*format*/, std::va_list /*arguments*/) {
    return 0;
}

// The objects with the settings that a daemon would choose, and only `wanted` to be loaded.
Skeleton opened(const std::string& wanted) {
    Skeleton skeleton(sp_bpf::open());
    REQUIRE(skeleton != nullptr);
    skeleton->rodata->sp_settings = bench_settings();
    skeleton->rodata->sp_asks_conntrack = has_conntrack_kfuncs() ? 1 : 0;
    bpf_map__set_max_entries(skeleton->maps.sp_flows, bench_settings().flow_sets);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj) {
        bpf_program__set_autoload(program, bpf_program__name(program) == wanted);
    }
    return skeleton;
}

// Each alone, so that one which this kernel lacks does not hide the others.
std::optional<std::uint32_t> cost_of(const std::string& name) {
    Skeleton skeleton = opened(name);
    if (sp_bpf::load(skeleton.get()) != 0) return std::nullopt;
    bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name.c_str());
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    REQUIRE(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0);
    REQUIRE(info.verified_insns > 0);
    return info.verified_insns;
}

Costs measured() {
    enter_machine();
    libbpf_print_fn_t before = libbpf_set_print(say_nothing);
    Costs costs;
    Skeleton all = opened("");
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, all->obj) {
        costs[bpf_program__name(program)] = cost_of(bpf_program__name(program));
    }
    libbpf_set_print(before);
    return costs;
}

// "6.12" of "6.12.117+deb12-cloud-amd64".
std::string kernel() {
    utsname machine{};
    REQUIRE(uname(&machine) == 0);
    const std::string release = machine.release;
    return release.substr(0, release.find_first_not_of("0123456789", release.find('.') + 1));
}

// What the table has of this kernel, "-" as nothing; no map when it has no such column.
std::optional<Costs> recorded() {
    std::ifstream file(kTable);
    Costs costs;
    std::optional<std::size_t> column;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::vector<std::string> cells;
        for (std::string word; words >> word;) cells.push_back(word);
        if (cells.front() == "program") {
            for (std::size_t i = 1; i < cells.size(); ++i)
                if (cells[i] == kernel()) column = i;
        } else if (column && *column < cells.size() && cells[*column] != "?") {
            const std::string& cell = cells[*column];
            costs[cells.front()] =
                cell == "-" ? std::nullopt
                            : std::optional(static_cast<std::uint32_t>(std::stoul(cell)));
        }
    }
    if (!column) return std::nullopt;
    return costs;
}

// Why this cost is not within the budget, empty when it is.
std::string objection(const Costs& budget, const std::string& name,
                      std::optional<std::uint32_t> cost) {
    const auto found = budget.find(name);
    if (found == budget.end()) return name + " has no record; " + kHint;
    const std::optional<std::uint32_t> limit = found->second;
    if (!cost) return limit ? name + " is refused here and was not when it was recorded" : "";
    if (!limit) return name + " loads here and did not when it was recorded; " + kHint;
    if (std::uint64_t{*cost} * 5 <= std::uint64_t{*limit} * 6) return "";
    return name + " costs the verifier " + std::to_string(*cost) + " instructions, more than " +
           std::to_string(*limit) + " and a fifth; make it cheaper, or " + kHint;
}

} // namespace

TEST_CASE("no program costs the verifier a fifth more than is recorded for this kernel") {
    const std::optional<Costs> budget = recorded();
    if (!budget) SKIP("nothing is recorded for " + kernel() + "; " + kHint);
    const Costs costs = measured();
    CHECK(costs.size() > 10);
    for (const auto& [name, cost] : costs) {
        CHECK(objection(*budget, name, cost) == "");
    }
}

TEST_CASE("growth beyond a fifth is over the budget, and so is what has no record") {
    const Costs budget{{"sp_one", 1000}, {"sp_absent", std::nullopt}};
    CHECK(objection(budget, "sp_one", 1200) == "");
    CHECK(objection(budget, "sp_one", 1) == "");
    CHECK(objection(budget, "sp_one", 1201) != "");
    CHECK(objection(budget, "sp_one", std::nullopt) != "");
    CHECK(objection(budget, "sp_absent", std::nullopt) == "");
    CHECK(objection(budget, "sp_absent", 1) != "");
    CHECK(objection(budget, "sp_two", 1) != "");
}

// tools/verifier-budget runs this one, on each kernel, and keeps what it prints.
TEST_CASE("what each program costs the verifier", "[.measure]") {
    for (const auto& [name, cost] : measured()) {
        std::cout << "verifier " << kernel() << ' ' << name << ' '
                  << (cost ? std::to_string(*cost) : "-") << std::endl;
    }
}
