// SPDX-License-Identifier: Apache-2.0
// Bans and the disk: loaded at the start, saved as they are made, tried again when it refuses.
#include "daemon/bans.h"
#include "kernel/bans.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>

namespace sallyport {
namespace {

constexpr std::uint64_t kNsInMs = 1000000;
constexpr std::uint64_t kTryDiskEveryNs = 5ull * 1000000000;
// Of less nobody steps a clock; adjtime moves it by as much in a while.
constexpr std::int64_t kStepMs = 1000;

// Out of the way, for who wants to look into it; the name it has then.
std::string put_aside(const std::string& file, std::int64_t now_ms) {
    const std::string aside = fmt::format("{}.damaged-{}", file, now_ms / 1000);
    for (const char* part : {"", "-wal", "-shm"})
        static_cast<void>(std::rename((file + part).c_str(), (aside + part).c_str()));
    return aside;
}

} // namespace

Bans::Bans(BansWorld world, std::vector<std::string>& notes)
    : maps_(world.maps), file_(world.state_dir + "/sallyport.db"), most_(world.most),
      read_list_(std::move(world.read_list)), clock_(std::move(world.clock)),
      own_(std::move(world.own)) {
    std::error_code ignored;
    std::filesystem::create_directories(world.state_dir, ignored);
    offset_ms_ = clock_offset_ms();
    load(notes);
    load_lists(notes);
    const std::vector<BanEntry> changes = table_.take_changes();
    const Status taken = take_over_bans(maps_, changes, bits_, active());
    if (!taken) {
        notes.push_back(taken.error().text());
        table_.redo(changes);
        unwritten_ = true;
    }
    fresh_ = active() != 0;
    flush();
}

void Bans::open_store(std::vector<std::string>& notes) {
    Result<BanStore> opened = BanStore::open(file_);
    if (!opened && opened.error().kind == ErrorKind::invalid_input) {
        // A newer version's is whole: it stays where it is, for that version.
        if (opened.error().hint.empty()) {
            const std::string aside = put_aside(file_, clock_.wall_ms());
            notes.push_back(fmt::format("{}; it is kept as {}, and what the kernel still bans is "
                                        "all that is known",
                                        opened.error().text(), aside));
            opened = BanStore::open(file_);
        }
    }
    if (opened) {
        store_ = *std::move(opened);
        disk_error_.clear();
        return;
    }
    disk_error_ = opened.error().text();
    notes.push_back(disk_error_ + ": bans hold, and are not kept over a restart until it is "
                                  "mended");
}

// When a ban ends by the boot's clock; nullopt: it has.
std::optional<std::uint64_t> Bans::end_of(const BanRecord& record) const {
    if (record.until_ms == 0) return kForEver;
    const std::uint64_t now = clock_.boot_ns();
    if (!record.boot_id.empty() && record.boot_id == clock_.boot_id)
        return record.until_boot_ns > now ? std::optional(record.until_boot_ns) : std::nullopt;
    // A wall clock that is behind must not make it longer than was said.
    const std::int64_t left = std::min(record.until_ms - clock_.wall_ms(), record.given_ms);
    if (left <= 0) return std::nullopt;
    return now + static_cast<std::uint64_t>(left) * kNsInMs;
}

// The disk does not say who is banned: what stands goes on.
void Bans::load_standing() {
    const Result<std::vector<BanEntry>> standing = read_bans(maps_);
    if (!standing) return;
    const std::uint64_t now = clock_.boot_ns();
    for (const BanEntry& entry : *standing) {
        if (!is_later(*entry.until_ns, now)) continue;
        table_.ban(entry.prefix, *entry.until_ns);
        note_end(entry.prefix, *entry.until_ns);
        const std::int64_t left =
            *entry.until_ns == kForEver
                ? 0
                : static_cast<std::int64_t>((*entry.until_ns - now) / kNsInMs);
        unsaved_[entry.prefix] =
            BanRecord{.network = entry.prefix,
                      .since_ms = clock_.wall_ms(),
                      .until_ms = left == 0 ? 0 : clock_.wall_ms() + left,
                      .given_ms = left,
                      .until_boot_ns = *entry.until_ns,
                      .boot_id = clock_.boot_id,
                      .origin = "kernel",
                      .reason = "found in the kernel; the record of it was lost"};
    }
}

void Bans::load(std::vector<std::string>& notes) {
    std::error_code ignored;
    const bool had_file = std::filesystem::exists(file_, ignored);
    const std::size_t told = notes.size();
    open_store(notes);
    if (!had_file || notes.size() != told) load_standing();
    if (!store_) return;
    static_cast<void>(store_->follow_wall_clock(clock_.boot_id, offset_ms_));
    std::vector<Prefix> over;
    const Status read = store_->each([&](const BanRecord& record) {
        const std::optional<std::uint64_t> end = end_of(record);
        if (!end) {
            over.push_back(record.network);
            return;
        }
        table_.ban(record.network, *end);
        note_end(record.network, *end);
    });
    if (!read) notes.push_back(read.error().text());
    if (!over.empty()) static_cast<void>(store_->remove(over));
    if (Result<std::vector<Prefix>> never = store_->never()) never_ = *std::move(never);
    table_.set_never(never_);
    if (Result<std::vector<BanList>> lists = store_->lists()) lists_ = *std::move(lists);
}

void Bans::save(BanRecord record) {
    const Prefix network = record.network;
    unremoved_.erase(network);
    unsaved_[network] = std::move(record);
    flush_unless_refused();
}

void Bans::forget(const Prefix& network) {
    unsaved_.erase(network);
    unremoved_.insert(network);
    flush_unless_refused();
}

// A disk that has just refused is not asked again for each ban: it may take its time to refuse.
void Bans::flush_unless_refused() {
    if (disk_error_.empty() || clock_.boot_ns() >= try_disk_at_ns_) flush();
}

// All that the disk lacks, in one go.
void Bans::flush() {
    try_disk_at_ns_ = clock_.boot_ns() + kTryDiskEveryNs;
    std::vector<std::string> told_before;
    if (!store_) open_store(told_before);
    if (!store_ || (unsaved_.empty() && unremoved_.empty() && !rules_unsaved_)) return;
    std::vector<BanRecord> records;
    records.reserve(unsaved_.size());
    for (const auto& [network, record] : unsaved_) records.push_back(record);
    const std::vector<Prefix> gone(unremoved_.begin(), unremoved_.end());
    Status kept = records.empty() ? Status{} : store_->put(records);
    if (kept && !gone.empty()) kept = store_->remove(gone);
    if (kept && rules_unsaved_) kept = store_->set_never(never_);
    if (kept && rules_unsaved_) kept = store_->set_lists(lists_);
    if (!kept) {
        disk_error_ = kept.error().text();
        return;
    }
    unsaved_.clear();
    unremoved_.clear();
    rules_unsaved_ = false;
    disk_error_.clear();
}

void Bans::follow_wall_clock() {
    const std::int64_t offset = clock_offset_ms();
    if (std::abs(offset - offset_ms_) < kStepMs) return;
    offset_ms_ = offset;
    if (!store_) return;
    static_cast<void>(store_->follow_wall_clock(clock_.boot_id, offset));
    // What is older than this boot goes by the wall clock, which tells better only now.
    std::vector<BanRecord> older;
    static_cast<void>(store_->each([&](BanRecord record) {
        if (record.until_ms != 0 && record.boot_id != clock_.boot_id)
            older.push_back(std::move(record));
    }));
    for (const BanRecord& record : older) {
        const std::uint64_t end = end_of(record).value_or(clock_.boot_ns());
        if (!table_.until(record.network)) continue;
        table_.ban(record.network, end);
        note_end(record.network, end);
    }
    static_cast<void>(write());
}

Result<BanPage> Bans::page(const std::optional<Prefix>& after, std::size_t most) const {
    BanPage page;
    std::vector<BanRecord> records;
    if (store_) records = SP_TRY(store_->page(after, most));
    if (records.size() == most && most != 0) page.next = records.back().network;
    std::erase_if(records, [&](const BanRecord& record) {
        return unsaved_.contains(record.network) || !table_.until(record.network);
    });
    // Up to where the disk has been read.
    for (auto at = after ? unsaved_.upper_bound(*after) : unsaved_.begin(); at != unsaved_.end();
         ++at) {
        if (page.next && at->first > *page.next) break;
        records.push_back(at->second);
    }
    std::ranges::sort(records, {}, &BanRecord::network);
    if (records.size() > most) {
        records.resize(most);
        page.next = records.back().network;
    }
    const std::uint64_t now = clock_.boot_ns();
    for (BanRecord& record : records) {
        BanLine line{.record = std::move(record)};
        const std::uint64_t until = table_.until(line.record.network).value_or(kForEver);
        if (until != kForEver) line.left = Milliseconds((until - std::min(now, until)) / kNsInMs);
        const auto never = table_.never_within_or_around(line.record.network);
        line.is_masked = never && never->length <= line.record.network.length;
        page.lines.push_back(std::move(line));
    }
    return page;
}

std::vector<Prefix> Bans::given_by(const std::string& origin) const {
    std::vector<Prefix> networks;
    if (store_) networks = store_->given_by(origin).value_or(std::vector<Prefix>());
    std::erase_if(networks, [&](const Prefix& network) {
        return unsaved_.contains(network) || !table_.until(network);
    });
    for (const auto& [network, record] : unsaved_)
        if (record.origin == origin) networks.push_back(network);
    return networks;
}

} // namespace sallyport
