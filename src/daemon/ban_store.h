// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bans on disk, in the database of the state directory (SQLite, WAL). What was written
// survives a kill at once and a power cut but for its last moments: a commit is not waited
// for until it is on the platter.
#include "base/ip.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace sallyport {

struct BanRecord {
    Prefix network;
    std::int64_t since_ms = 0; // wall clock, since 1970
    std::int64_t until_ms = 0; // wall clock; 0: for ever
    std::int64_t given_ms = 0; // for how long it was said; 0: for ever
    // The same end by the clock of the boot in which it was said: that clock is never stepped.
    std::uint64_t until_boot_ns = 0;
    std::string boot_id;
    std::string origin; // "hand", "jail:NAME"
    std::string reason;
    bool operator==(const BanRecord&) const = default;
};

// A zone of [bans] lists and its file.
struct BanList {
    std::string zone;
    std::string file; // absolute
    bool operator==(const BanList&) const = default;
};

// How often somebody was banned before.
struct BanHistory {
    std::uint32_t times = 0;
    std::int64_t last_ms = 0;
};

class BanStore {
  public:
    // Makes the database where there is none. invalid_input: what is there is no database, or
    // a damaged one, or a newer version's; kernel, permission: the disk.
    [[nodiscard]] static Result<BanStore> open(const std::string& file);
    BanStore(BanStore&&) noexcept = default;
    BanStore& operator=(BanStore&&) noexcept = default;

    // Each all or nothing.
    [[nodiscard]] Status put(std::span<const BanRecord> records);
    [[nodiscard]] Status remove(std::span<const Prefix> networks);
    [[nodiscard]] Status set_never(std::span<const Prefix> networks);

    // In the order of the networks, IPv6 before IPv4's mapped form and after it.
    [[nodiscard]] Status each(const std::function<void(BanRecord)>& call) const;
    [[nodiscard]] Result<std::vector<BanRecord>> page(const std::optional<Prefix>& after,
                                                      std::size_t most) const;
    [[nodiscard]] Result<std::optional<BanRecord>> find(const Prefix& network) const;
    [[nodiscard]] Result<std::vector<Prefix>> given_by(const std::string& origin) const;
    [[nodiscard]] Result<std::vector<Prefix>> never() const;

    // What of the policy in force the next daemon has to know, before it has read any.
    [[nodiscard]] Status set_lists(std::span<const BanList> lists);
    [[nodiscard]] Result<std::vector<BanList>> lists() const;

    // The wall clock was stepped: the ends of this boot's bans by it. `offset_ms`: how far it is
    // ahead of the boot's clock.
    [[nodiscard]] Status follow_wall_clock(const std::string& boot_id, std::int64_t offset_ms);

    [[nodiscard]] Result<BanHistory> history(const Prefix& network) const;
    [[nodiscard]] Status note_history(const Prefix& network, const BanHistory& history);
    // The same of one origin: "jail:NAME".
    [[nodiscard]] Result<BanHistory> count(const std::string& origin, const Prefix& network) const;
    [[nodiscard]] Status note_count(const std::string& origin, const Prefix& network,
                                    const BanHistory& history);
    // Since then; the latest 65536, the oldest of these first.
    [[nodiscard]] Status each_count(const std::string& origin, std::int64_t since_ms,
                                    const std::function<void(const Prefix&, unsigned)>& call) const;
    [[nodiscard]] Status forget_history(std::int64_t before_ms); // of both

  private:
    struct Closer {
        void operator()(sqlite3* database) const;
        void operator()(sqlite3_stmt* statement) const;
    };
    using Database = std::unique_ptr<sqlite3, Closer>;
    using Statement = std::unique_ptr<sqlite3_stmt, Closer>;

    explicit BanStore(Database database) : database_(std::move(database)) {}
    [[nodiscard]] Result<Statement> prepare(const char* sql) const;
    [[nodiscard]] Status run(const char* sql) const;
    [[nodiscard]] Result<bool> step(const Statement& statement) const; // is there a row?
    [[nodiscard]] Status atomically(const std::function<Status()>& work) const;
    [[nodiscard]] std::unexpected<Error> failure() const;

    Database database_;
};

} // namespace sallyport
