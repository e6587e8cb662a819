// SPDX-License-Identifier: Apache-2.0
#include "kernel/ask.h"

#include "base/boot_clock.h"
#include "kernel/apply.h"
#include "kernel/ask_run.h"
#include "kernel/conntrack.h"
#include "kernel/libbpf_log.h"
#include "kernel/map.h"
#include "kernel/skeleton.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <utility>

namespace sallyport {
namespace {

// The wall's map of that name.
using FindMap = std::function<Result<Fd>(const std::string&)>;

Program program_at(AskAt at, const sp_settings& settings) {
    switch (at) {
    case AskAt::arriving:
        return Program::xdp;
    case AskAt::sending:
        return Program::cg_egress;
    case AskAt::leaving:
        return Program::tc_egress;
    case AskAt::routed:
        return settings.forward_hook == SP_FORWARD_NETFILTER ? Program::nf_forward
                                                             : Program::tc_forward;
    }
    return Program::xdp;
}

Result<sp_settings> settings_of(const FindMap& find) {
    const Fd meta = SP_TRY(find("sp_meta"));
    const std::uint32_t zero = 0;
    const std::optional<sp_settings> settings = SP_TRY(map_lookup<sp_settings>(meta.get(), zero));
    return settings.value_or(sp_settings{});
}

// As the programs read the control word (bpf/lib/view.h), which a deadline may turn.
Result<std::uint32_t> slot_in_force(const FindMap& find) {
    const Fd control = SP_TRY(find("sp_control"));
    Maps maps;
    maps.control = control.get();
    const std::uint64_t word = SP_TRY(control_word(maps));
    const std::uint64_t deadline = sp_control_deadline_ms(word);
    return deadline != 0 && kernel_boot_ns() / 1000000 > deadline ? sp_control_fallback(word)
                                                                  : sp_control_active(word);
}

Status share_maps(sp_bpf& skeleton, const FindMap& find) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton.obj) {
        if (!is_of_the_wall(map)) continue;
        const Fd held = SP_TRY(find(bpf_map__name(map)));
        const int error = bpf_map__reuse_fd(map, held.get());
        if (error) return fail_errno(-error, fmt::format("sharing map {}", bpf_map__name(map)));
    }
    return {};
}

Result<Skeleton> load_asking(const FindMap& find, const AskOptions& options,
                             const sp_settings& settings, bool conntrack) {
    keep_libbpf_warnings();
    Skeleton skeleton(sp_bpf::open());
    if (!skeleton) return fail_errno(errno, "opening the BPF object");
    skeleton->rodata->sp_settings = settings;
    skeleton->rodata->sp_asks_conntrack = conntrack ? 1 : 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj) {
        const bool asked = std::ranges::any_of(options.at, [&](AskAt at) {
            return program_of(*skeleton, program_at(at, settings)) == program;
        });
        bpf_program__set_autoload(program, asked);
    }
    SP_TRY(share_maps(*skeleton, find));
    const int error = sp_bpf::load(skeleton.get());
    if (error != 0) return fail_load(-error);
    return skeleton;
}

} // namespace

struct Asker::Impl {
    Skeleton skeleton;
    Maps maps;
    sp_settings settings{};
};

namespace {

Result<std::pair<Skeleton, sp_settings>> loaded(const FindMap& find, const AskOptions& options) {
    sp_settings settings = SP_TRY(settings_of(find));
    settings.ask_slot = options.slot;
    if (options.slot == 0) settings.ask_slot = SP_TRY(slot_in_force(find));
    if (settings.ask_slot == 0 || settings.ask_slot >= SP_SLOTS)
        return fail(ErrorKind::not_found, "no policy is in force", "start the wall: sallyport run");
    settings.forget_flows = options.flows == AskFlows::none ? 1 : 0;
    const bool conntrack = has_conntrack_kfuncs();
    Result<Skeleton> skeleton = load_asking(find, options, settings, conntrack);
    // Where the wall had to do without them as well.
    if (!skeleton && conntrack)
        if (Result<Skeleton> fewer = load_asking(find, options, settings, false); fewer)
            skeleton = std::move(fewer);
    if (!skeleton) return std::unexpected<Error>(std::move(skeleton).error());
    return std::pair{std::move(*skeleton), settings};
}

} // namespace

Asker::Asker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Asker::Asker(Asker&&) noexcept = default;
Asker& Asker::operator=(Asker&&) noexcept = default;
Asker::~Asker() = default;

Result<Asker> Asker::over_pins(const std::string& layout_dir, const AskOptions& options) {
    const FindMap find = [&](const std::string& name) {
        return open_pinned(layout_dir + "/maps/" + name);
    };
    auto [skeleton, settings] = SP_TRY(loaded(find, options));
    const Maps maps = maps_of(*skeleton);
    return Asker(std::make_unique<Impl>(std::move(skeleton), maps, settings));
}

Result<Asker> Asker::over(const Programs& wall, const AskOptions& options) {
    const FindMap find = [&](const std::string& name) -> Result<Fd> {
        const int held = wall.map_fd(name);
        if (held < 0) return fail(ErrorKind::internal, "the wall has no map " + name);
        Fd copy(fcntl(held, F_DUPFD_CLOEXEC, 3));
        if (!copy) return fail_errno(errno, "sharing map " + name);
        return copy;
    };
    auto [skeleton, settings] = SP_TRY(loaded(find, options));
    const Maps maps = maps_of(*skeleton);
    return Asker(std::make_unique<Impl>(std::move(skeleton), maps, settings));
}

Result<Judgement> Asker::ask(const Question& question) const {
    sp_bpf& skeleton = *impl_->skeleton;
    const Program program = program_at(question.at, impl_->settings);
    const int fd = bpf_program__fd(program_of(skeleton, program));
    SP_CHECK(fd >= 0); // it was named in AskOptions::at
    skeleton.bss->sp_question = {.cgroup = question.cgroup,
                                 .netns = 0,
                                 .uid = question.uid,
                                 .socket = question.at == AskAt::sending ? 1u : 0,
                                 .in = question.ifindex,
                                 .out = question.out};
    skeleton.bss->sp_told = {};
    const std::uint32_t action = SP_TRY(run_asked(program, fd, question));
    const sp_told told = skeleton.bss->sp_told;
    const bool pass = passes(program, action);
    SP_CHECK(!told.settled || pass == (told.pass != 0));
    return Judgement{.settled = told.settled != 0,
                     .pass = pass,
                     .reason = told.reason,
                     .direction = told.direction,
                     .rule = told.rule,
                     .hook = told.hook,
                     .generation = told.generation,
                     .opened = told.opened != 0};
}

Result<std::vector<std::uint8_t>> Asker::framed(AskAt at, unsigned ifindex,
                                                std::span<const std::uint8_t> packet) const {
    const std::optional<sp_iface> iface =
        SP_TRY(map_lookup<sp_iface>(impl_->maps.ifaces, std::uint32_t{ifindex}));
    const bool netfilter = program_at(at, impl_->settings) == Program::nf_forward;
    const bool header = at == AskAt::sending || netfilter || !iface || iface->link != SP_LINK_IP;
    std::vector<std::uint8_t> frame;
    if (header) {
        // A neighbour's address; of what leaves the NIC's own is the source.
        const std::array<std::uint8_t, 6> neighbour{0x02, 0, 0, 0, 0, 0x01};
        std::array<std::uint8_t, 6> own{};
        if (iface) std::ranges::copy(iface->mac, own.begin());
        const auto& [to, from] = at == AskAt::arriving || at == AskAt::routed
                                     ? std::pair{own, neighbour}
                                     : std::pair{neighbour, own};
        frame.insert(frame.end(), to.begin(), to.end());
        frame.insert(frame.end(), from.begin(), from.end());
        const bool v6 = !packet.empty() && packet[0] >> 4 == 6;
        frame.push_back(v6 ? 0x86 : 0x08);
        frame.push_back(v6 ? 0xdd : 0x00);
    }
    frame.insert(frame.end(), packet.begin(), packet.end());
    return frame;
}

std::uint32_t Asker::slot() const {
    return impl_->settings.ask_slot;
}

sp_settings Asker::settings() const {
    return impl_->settings;
}

const Maps& Asker::maps() const {
    return impl_->maps;
}

} // namespace sallyport
