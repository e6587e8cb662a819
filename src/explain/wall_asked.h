// SPDX-License-Identifier: Apache-2.0
#pragma once
// The wall, asked about packets: which of its programs a packet meets, and what they say.
#include "base/fd.h"
#include "base/result.h"
#include "daemon/enforced.h"
#include "daemon/paths.h"
#include "explain/asked_packet.h"
#include "explain/captured.h"
#include "explain/sender.h"
#include "kernel/ask.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::explain {

struct AskedOf {
    Way way = Way::in;
    std::string on{}; // "": by the route
    std::string to{};
    Captured packet{};
    std::optional<AskedPacket> fields{}; // what is known of it in words
    Sender sender{};
};

struct Judged {
    Judgement verdict{};  // of the program that dropped it, else of the last that was asked
    std::string on{};     // the interface that it was asked at
    std::string to{};     // forward: where it leaves; "": no route
    std::string why{};    // why no program judges it; "": one did
    bool by_flow = false; // passes as part of what is known: opened anew it would not
};

class WallAsked {
  public:
    // permission, not_found (no wall) and conflict (another network namespace) say what to do.
    [[nodiscard]] static Result<WallAsked> open(const Paths& paths);
    // Programs are loaded as they are needed, and kept.
    [[nodiscard]] Result<Judged> judge(const AskedOf& asked);

    // What the state directory says about the policy in force; nullopt: nothing.
    [[nodiscard]] const std::optional<Enforced>& enforced() const { return enforced_; }
    [[nodiscard]] std::uint32_t generation() const { return generation_; }

  private:
    explicit WallAsked(std::string layout) : layout_(std::move(layout)) {}
    [[nodiscard]] Result<const Asker*> asker(AskAt at, AskFlows flows);
    [[nodiscard]] Result<Judgement> ask(AskAt at, const AskedOf& asked, Question question,
                                        AskFlows flows = AskFlows::known);
    [[nodiscard]] Result<sp_iface> describe(unsigned index) const;
    [[nodiscard]] Result<unsigned> interface_of(const std::string& name,
                                                const AskedOf& asked) const;
    [[nodiscard]] Result<Judged> judge_in(const AskedOf& asked, unsigned on);
    [[nodiscard]] Result<Judged> judge_out(const AskedOf& asked, unsigned on);
    [[nodiscard]] Result<Judged> judge_routed(const AskedOf& asked, unsigned on, Judged judged);

    std::string layout_;
    std::optional<Enforced> enforced_;
    std::uint32_t generation_ = 0;
    std::uint32_t slot_ = 0;
    sp_settings settings_{};
    std::vector<Fd> held_;
    Maps maps_; // those that are read here
    std::string cgroup_mount_;
    std::map<std::pair<AskAt, AskFlows>, std::unique_ptr<Asker>> askers_;
};

} // namespace sallyport::explain
