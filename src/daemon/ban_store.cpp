// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_store.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

namespace sallyport {
namespace {

constexpr int kVersion = 2;
// A command beside a daemon waits for its turn.
constexpr int kPatienceMs = 500;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS bans(network BLOB PRIMARY KEY, since INTEGER NOT NULL,"
    " until INTEGER NOT NULL, given INTEGER NOT NULL, until_boot INTEGER NOT NULL,"
    " boot TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS never_banned(network BLOB PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ban_lists(zone TEXT PRIMARY KEY, file TEXT NOT NULL) WITHOUT"
    " ROWID;"
    "CREATE TABLE IF NOT EXISTS ban_history(network BLOB PRIMARY KEY, times INTEGER NOT NULL,"
    " last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ban_counts(origin TEXT NOT NULL, network BLOB NOT NULL,"
    " times INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(origin, network)) WITHOUT"
    " ROWID;";

constexpr const char* kColumns =
    "network, since, until, given, until_boot, boot, origin, reason FROM bans";

using Key = std::array<std::uint8_t, 17>; // sorts as Prefix does

Key key_of(const Prefix& network) {
    Key key{};
    std::ranges::copy(network.base.bytes, key.begin());
    key[16] = network.length;
    return key;
}

void bind(sqlite3_stmt* statement, int at, const Prefix& network) {
    const Key key = key_of(network);
    sqlite3_bind_blob(statement, at, key.data(), static_cast<int>(key.size()), SQLITE_TRANSIENT);
}

void bind(sqlite3_stmt* statement, int at, const std::string& text) {
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

// Not one of ours: a length that no prefix has.
std::optional<Prefix> network_at(sqlite3_stmt* statement, int column) {
    if (sqlite3_column_bytes(statement, column) != static_cast<int>(Key{}.size()))
        return std::nullopt;
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
    if (bytes[16] > 128) return std::nullopt;
    Address base;
    std::copy(bytes, bytes + 16, base.bytes.begin());
    return prefix_of(base, bytes[16]);
}

std::string text_at(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    return text ? std::string(text,
                              static_cast<std::size_t>(sqlite3_column_bytes(statement, column)))
                : std::string();
}

std::optional<BanRecord> record_of(sqlite3_stmt* row) {
    const std::optional<Prefix> network = network_at(row, 0);
    if (!network) return std::nullopt;
    return BanRecord{.network = *network,
                     .since_ms = sqlite3_column_int64(row, 1),
                     .until_ms = sqlite3_column_int64(row, 2),
                     .given_ms = sqlite3_column_int64(row, 3),
                     .until_boot_ns = static_cast<std::uint64_t>(sqlite3_column_int64(row, 4)),
                     .boot_id = text_at(row, 5),
                     .origin = text_at(row, 6),
                     .reason = text_at(row, 7)};
}

ErrorKind kind_of(int code) {
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ErrorKind::invalid_input;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return ErrorKind::permission;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ErrorKind::conflict;
    default:
        return ErrorKind::kernel;
    }
}

} // namespace

void BanStore::Closer::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}
void BanStore::Closer::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

std::unexpected<Error> BanStore::failure() const {
    const int code = database_ ? sqlite3_extended_errcode(database_.get()) : SQLITE_NOMEM;
    return fail(kind_of(code),
                fmt::format("the database of bans: {}",
                            database_ ? sqlite3_errmsg(database_.get()) : "no memory"),
                (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR
                    ? "make room on the disk of the state directory"
                    : "");
}

Result<BanStore::Statement> BanStore::prepare(const char* sql) const {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql, -1, &raw, nullptr) != SQLITE_OK) return failure();
    return Statement(raw);
}

Status BanStore::run(const char* sql) const {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return failure();
    return {};
}

Result<bool> BanStore::step(const Statement& statement) const {
    const int code = sqlite3_step(statement.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) return failure();
    return code == SQLITE_ROW;
}

Status BanStore::atomically(const std::function<Status()>& work) const {
    SP_TRY(run("BEGIN IMMEDIATE"));
    Status done = work();
    if (done) done = run("COMMIT");
    // Some failures have rolled back already; then this one says so, and that is all.
    if (!done) static_cast<void>(run("ROLLBACK"));
    return done;
}

Result<BanStore> BanStore::open(const std::string& file) {
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    BanStore store{Database(raw)};
    if (code != SQLITE_OK) return store.failure();
    sqlite3_busy_timeout(raw, kPatienceMs);
    // Its journal takes the mode from it. Whom a reason names is nobody else's business.
    static_cast<void>(chmod(file.c_str(), 0600));
    SP_TRY(store.run("PRAGMA journal_mode=WAL"));
    SP_TRY(store.run("PRAGMA synchronous=NORMAL"));
    const Statement version = SP_TRY(store.prepare("PRAGMA user_version"));
    static_cast<void>(SP_TRY(store.step(version)));
    const int found = sqlite3_column_int(version.get(), 0);
    if (found > kVersion)
        return fail(
            ErrorKind::invalid_input,
            fmt::format("the database of bans is of version {}, this is for {}", found, kVersion),
            "run the version that made it");
    const auto make = [&]() -> Status {
        SP_TRY(store.run(kTables));
        return store.run(fmt::format("PRAGMA user_version={}", kVersion).c_str());
    };
    if (found < kVersion) SP_TRY(store.atomically(make));
    // Damage shows when its page is read: all of it, now, rather than at a ban.
    const Statement check = SP_TRY(store.prepare("SELECT count(*), max(length(reason)) FROM bans"));
    static_cast<void>(SP_TRY(store.step(check)));
    return store;
}

Status BanStore::put(std::span<const BanRecord> records) {
    return atomically([&]() -> Status {
        const Statement insert =
            SP_TRY(prepare("INSERT OR REPLACE INTO bans VALUES(?,?,?,?,?,?,?,?)"));
        for (const BanRecord& record : records) {
            sqlite3_stmt* row = insert.get();
            sqlite3_reset(row);
            bind(row, 1, record.network);
            sqlite3_bind_int64(row, 2, record.since_ms);
            sqlite3_bind_int64(row, 3, record.until_ms);
            sqlite3_bind_int64(row, 4, record.given_ms);
            sqlite3_bind_int64(row, 5, static_cast<sqlite3_int64>(record.until_boot_ns));
            bind(row, 6, record.boot_id);
            bind(row, 7, record.origin);
            bind(row, 8, record.reason);
            static_cast<void>(SP_TRY(step(insert)));
        }
        return {};
    });
}

Status BanStore::remove(std::span<const Prefix> networks) {
    return atomically([&]() -> Status {
        const Statement remove = SP_TRY(prepare("DELETE FROM bans WHERE network=?"));
        for (const Prefix& network : networks) {
            sqlite3_reset(remove.get());
            bind(remove.get(), 1, network);
            static_cast<void>(SP_TRY(step(remove)));
        }
        return {};
    });
}

Status BanStore::set_never(std::span<const Prefix> networks) {
    return atomically([&]() -> Status {
        SP_TRY(run("DELETE FROM never_banned"));
        const Statement insert = SP_TRY(prepare("INSERT OR IGNORE INTO never_banned VALUES(?)"));
        for (const Prefix& network : networks) {
            sqlite3_reset(insert.get());
            bind(insert.get(), 1, network);
            static_cast<void>(SP_TRY(step(insert)));
        }
        return {};
    });
}

Status BanStore::each(const std::function<void(BanRecord)>& call) const {
    const Statement rows =
        SP_TRY(prepare(fmt::format("SELECT {} ORDER BY network", kColumns).c_str()));
    while (SP_TRY(step(rows)))
        if (std::optional<BanRecord> record = record_of(rows.get())) call(*std::move(record));
    return {};
}

Result<std::vector<BanRecord>> BanStore::page(const std::optional<Prefix>& after,
                                              std::size_t most) const {
    const Statement rows = SP_TRY(prepare(
        fmt::format("SELECT {} WHERE network>? ORDER BY network LIMIT ?", kColumns).c_str()));
    if (after)
        bind(rows.get(), 1, *after);
    else
        sqlite3_bind_blob(rows.get(), 1, "", 0, SQLITE_STATIC);
    sqlite3_bind_int64(rows.get(), 2, static_cast<sqlite3_int64>(most));
    std::vector<BanRecord> records;
    while (SP_TRY(step(rows)))
        if (std::optional<BanRecord> record = record_of(rows.get()))
            records.push_back(*std::move(record));
    return records;
}

Result<std::optional<BanRecord>> BanStore::find(const Prefix& network) const {
    const Statement rows =
        SP_TRY(prepare(fmt::format("SELECT {} WHERE network=?", kColumns).c_str()));
    bind(rows.get(), 1, network);
    if (!SP_TRY(step(rows))) return std::optional<BanRecord>();
    return record_of(rows.get());
}

Result<std::vector<Prefix>> BanStore::given_by(const std::string& origin) const {
    const Statement rows = SP_TRY(prepare("SELECT network FROM bans WHERE origin=?"));
    bind(rows.get(), 1, origin);
    std::vector<Prefix> networks;
    while (SP_TRY(step(rows)))
        if (const std::optional<Prefix> network = network_at(rows.get(), 0))
            networks.push_back(*network);
    return networks;
}

Result<std::vector<Prefix>> BanStore::never() const {
    const Statement rows = SP_TRY(prepare("SELECT network FROM never_banned ORDER BY network"));
    std::vector<Prefix> networks;
    while (SP_TRY(step(rows)))
        if (const std::optional<Prefix> network = network_at(rows.get(), 0))
            networks.push_back(*network);
    return networks;
}

Status BanStore::set_lists(std::span<const BanList> lists) {
    return atomically([&]() -> Status {
        SP_TRY(run("DELETE FROM ban_lists"));
        const Statement insert = SP_TRY(prepare("INSERT OR REPLACE INTO ban_lists VALUES(?,?)"));
        for (const BanList& list : lists) {
            sqlite3_reset(insert.get());
            bind(insert.get(), 1, list.zone);
            bind(insert.get(), 2, list.file);
            static_cast<void>(SP_TRY(step(insert)));
        }
        return {};
    });
}

Result<std::vector<BanList>> BanStore::lists() const {
    const Statement rows = SP_TRY(prepare("SELECT zone, file FROM ban_lists ORDER BY zone"));
    std::vector<BanList> lists;
    while (SP_TRY(step(rows)))
        lists.push_back({.zone = text_at(rows.get(), 0), .file = text_at(rows.get(), 1)});
    return lists;
}

Status BanStore::follow_wall_clock(const std::string& boot_id, std::int64_t offset_ms) {
    const Statement update =
        SP_TRY(prepare("UPDATE bans SET until=until_boot/1000000+?1 WHERE boot=?2 AND until<>0 AND"
                       " abs(until-(until_boot/1000000+?1))>1000"));
    sqlite3_bind_int64(update.get(), 1, offset_ms);
    bind(update.get(), 2, boot_id);
    static_cast<void>(SP_TRY(step(update)));
    return {};
}

Result<BanHistory> BanStore::history(const Prefix& network) const {
    const Statement rows = SP_TRY(prepare("SELECT times, last FROM ban_history WHERE network=?"));
    bind(rows.get(), 1, network);
    if (!SP_TRY(step(rows))) return BanHistory{};
    return BanHistory{.times = static_cast<std::uint32_t>(sqlite3_column_int64(rows.get(), 0)),
                      .last_ms = sqlite3_column_int64(rows.get(), 1)};
}

Status BanStore::note_history(const Prefix& network, const BanHistory& history) {
    const Statement insert = SP_TRY(prepare("INSERT OR REPLACE INTO ban_history VALUES(?,?,?)"));
    bind(insert.get(), 1, network);
    sqlite3_bind_int64(insert.get(), 2, history.times);
    sqlite3_bind_int64(insert.get(), 3, history.last_ms);
    static_cast<void>(SP_TRY(step(insert)));
    return {};
}

Result<BanHistory> BanStore::count(const std::string& origin, const Prefix& network) const {
    const Statement rows =
        SP_TRY(prepare("SELECT times, last FROM ban_counts WHERE origin=? AND network=?"));
    bind(rows.get(), 1, origin);
    bind(rows.get(), 2, network);
    if (!SP_TRY(step(rows))) return BanHistory{};
    return BanHistory{.times = static_cast<std::uint32_t>(sqlite3_column_int64(rows.get(), 0)),
                      .last_ms = sqlite3_column_int64(rows.get(), 1)};
}

Status BanStore::note_count(const std::string& origin, const Prefix& network,
                            const BanHistory& history) {
    const Statement insert = SP_TRY(prepare("INSERT OR REPLACE INTO ban_counts VALUES(?,?,?,?)"));
    bind(insert.get(), 1, origin);
    bind(insert.get(), 2, network);
    sqlite3_bind_int64(insert.get(), 3, history.times);
    sqlite3_bind_int64(insert.get(), 4, history.last_ms);
    static_cast<void>(SP_TRY(step(insert)));
    return {};
}

Status BanStore::each_count(const std::string& origin, std::int64_t since_ms,
                            const std::function<void(const Prefix&, unsigned)>& call) const {
    const Statement rows = SP_TRY(
        prepare("SELECT network, times FROM (SELECT network, times, last FROM ban_counts WHERE"
                " origin=? AND last>=? ORDER BY last DESC LIMIT 65536) ORDER BY last"));
    bind(rows.get(), 1, origin);
    sqlite3_bind_int64(rows.get(), 2, since_ms);
    while (SP_TRY(step(rows)))
        if (const std::optional<Prefix> network = network_at(rows.get(), 0))
            call(*network, static_cast<unsigned>(sqlite3_column_int64(rows.get(), 1)));
    return {};
}

Status BanStore::forget_history(std::int64_t before_ms) {
    for (const char* sql :
         {"DELETE FROM ban_history WHERE last<?", "DELETE FROM ban_counts WHERE last<?"}) {
        const Statement remove = SP_TRY(prepare(sql));
        sqlite3_bind_int64(remove.get(), 1, before_ms);
        static_cast<void>(SP_TRY(step(remove)));
    }
    return {};
}

} // namespace sallyport
