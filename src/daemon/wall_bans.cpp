// SPDX-License-Identifier: Apache-2.0
// Bans beside the policy: opened with the wall, given what the policy says of them, tended.
#include "daemon/ban_cut.h"
#include "daemon/wall.h"

#include <filesystem>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr auto kListsATick = std::chrono::milliseconds(20);

std::string absolute(const std::string& file) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(file, error);
    return error ? file : path.string();
}

} // namespace

std::vector<Address> own_addresses(const std::vector<Interface>& interfaces) {
    std::vector<Address> own;
    for (const Interface& interface : interfaces)
        for (const auto& [address, kind] : interface.addresses)
            if (kind == SP_LOCAL_HOST) own.push_back(address);
    return own;
}

void Wall::open_bans(WallNews& news) {
    const auto began = std::chrono::steady_clock::now();
    bans_ = std::make_unique<Bans>(BansWorld{.maps = programs_.maps(),
                                             .state_dir = state_dir_,
                                             .clock = system_ban_clock(),
                                             .own = own_addresses(interfaces_),
                                             .read_list = read_ban_list},
                                   news.warnings);
    ban_lists_.follow(bans_->lists());
    auto_bans_ = std::make_unique<AutoBans>(system_spared_world());
    if (Result<Proofs> proofs = Proofs::open(programs_.maps().proofs))
        proofs_.emplace(*std::move(proofs));
    else
        news.warnings.push_back("nobody is banned automatically: " + proofs.error().text());
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    if (bans_->active() != 0)
        news.notes.push_back(
            fmt::format("{} bans stand, restored in {} ms", bans_->active(), took.count()));
}

void Wall::use_bans_of(const Policy& policy, WallNews& news) {
    bans_->set_growth(policy.bans.growth);
    bans_->set_never(policy.bans.never, news.warnings);
    std::vector<BanList> lists;
    for (const BanListZone& list : policy.bans.lists)
        lists.push_back({.zone = list.zone, .file = absolute(list.file)});
    ban_lists_.follow(lists);
    bans_->set_lists(lists, news.warnings);
}

// The record of it may be lost; the policy is what it was.
void Wall::know(const Policy& policy, WallNews& news) {
    policy_ = policy;
    use_bans_of(policy, news);
}

std::size_t Wall::cut_banned_now(WallNews& news) {
    if (!bans_->take_fresh() || enforced_.observe) return 0;
    if (!owners_) owners_ = std::make_shared<OwnerNames>(system_owner_sources(enforced_.cgroup));
    const BansCut cut = cut_banned([this](const Address& peer) { return bans_->is_banned(peer); },
                                   *owners_, enforced_.cgroup);
    if (!cut.failure.empty())
        news.notes.push_back("connections of who is banned are dropped, not ended: " + cut.failure);
    return cut.ended;
}

// By what a policy that is not known wants nobody is banned.
void Wall::ban_by_proofs(WallNews& news) {
    if (!proofs_) return;
    const Result<std::vector<sp_proof>> came = proofs_->take();
    if (!came || !policy_) return;
    if (enforced_.generation != banning_by_) {
        auto_bans_->use(*policy_, enforced_.counters);
        banning_by_ = enforced_.generation;
    }
    const auto now = static_cast<std::uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
    for (const sp_proof& proof : *came) auto_bans_->take(proof, now, *bans_, news.notes);
    auto_bans_->tend(now, *bans_, news.notes);
}

// The loop has jails, readers and commands to see to as well.
void Wall::step_lists(WallNews& news) {
    const auto until = std::chrono::steady_clock::now() + kListsATick;
    const auto has_time = [until] { return std::chrono::steady_clock::now() < until; };
    for (const Bans::Done& done : bans_->step_lists(has_time)) {
        if (!done.failure.empty()) news.warnings.push_back(done.failure);
        news.notes.push_back(fmt::format("{}: {} bans more, {} less", done.list.file,
                                         done.followed.added, done.followed.lifted));
        if (std::string left_out = done.followed.left_out_of(done.list.file); !left_out.empty())
            news.warnings.push_back(std::move(left_out));
    }
}

void Wall::tend_bans(WallNews& news) {
    bans_->tick();
    ban_by_proofs(news);
    for (const BanList& list : ban_lists_.take_changed()) {
        if (const Status begun = bans_->begin_list(list); !begun)
            news.warnings.push_back(begun.error().text() +
                                    ": what the file named before stays banned");
    }
    step_lists(news);
    if (const std::size_t ended = cut_banned_now(news); ended != 0)
        news.notes.push_back(fmt::format("{} connections of who is banned are ended", ended));
    for (BanNews& one : bans_->take_news()) news.bans.push_back(std::move(one));
}

} // namespace sallyport
