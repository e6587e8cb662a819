// SPDX-License-Identifier: Apache-2.0
#include "daemon/history.h"

#include "base/durable_file.h"
#include "base/sha256.h"
#include "daemon/contents_hash.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace sallyport {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array kOutcomes{"applied", "trial", "confirmed", "rolled-back", "expired"};
constexpr std::size_t kDigits = 6;
constexpr std::uint32_t kHighest = 999'999'999; // as many digits as is_number() takes

Status make_directory(const std::string& path) {
    SP_TRY(make_directory_durably(path));
    std::error_code ignored;
    fs::permissions(path, fs::perms::owner_all, ignored);
    return {};
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string to_text(const HistoryEntry& e) {
    const json object = {{"number", e.number},
                         {"outcome", to_string(e.outcome)},
                         {"applied", e.applied},
                         {"by", e.by},
                         {"file", e.file},
                         {"sha256", e.sha256},
                         {"message", e.message},
                         {"mode", e.mode},
                         {"generation", e.generation},
                         {"restores", e.restores},
                         {"files", e.files}};
    return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<HistoryEntry> entry_of(const std::string& text) {
    try {
        const json object = json::parse(text);
        HistoryEntry e{.number = object.at("number"),
                       .outcome = Outcome::applied,
                       .applied = object.at("applied"),
                       .by = object.at("by"),
                       .file = object.at("file"),
                       .sha256 = object.at("sha256"),
                       .message = object.at("message"),
                       .mode = object.at("mode"),
                       .generation = object.at("generation"),
                       .restores = object.at("restores"),
                       .files = object.at("files")};
        const auto at = std::ranges::find(kOutcomes, object.at("outcome").get<std::string>());
        if (at == kOutcomes.end()) return std::nullopt;
        e.outcome = static_cast<Outcome>(at - kOutcomes.begin());
        return e;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

bool is_number(const std::string& name) {
    return name.size() >= kDigits && name.size() < 10 &&
           name.find_first_not_of("0123456789") == std::string::npos;
}

} // namespace

std::string HistoryEntry::contents() const {
    return contents_hash(sha256, files);
}

const char* to_string(Outcome outcome) {
    return kOutcomes.at(static_cast<std::size_t>(outcome));
}

PolicyHistory::PolicyHistory(const std::string& state_dir) : directory_(state_dir + "/policies") {}

std::string PolicyHistory::directory_of(std::uint32_t number) const {
    return fmt::format("{}/{:0{}}", directory_, number, kDigits);
}

// Newest first, readable or not.
Result<std::vector<std::uint32_t>> PolicyHistory::numbers() const {
    std::vector<std::uint32_t> all;
    std::error_code error;
    for (fs::directory_iterator at(directory_, error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename();
        if (is_number(name)) // else never finished, or no policy
            all.push_back(static_cast<std::uint32_t>(std::stoul(name)));
    }
    if (error && error.value() != ENOENT) return fail_errno(error.value(), "reading " + directory_);
    std::ranges::sort(all, std::ranges::greater{});
    return all;
}

Status PolicyHistory::check_listable() const {
    SP_TRY(numbers());
    return {};
}

std::vector<HistoryEntry> PolicyHistory::entries() const {
    std::vector<HistoryEntry> all;
    for (const std::uint32_t number : numbers().value_or(std::vector<std::uint32_t>{}))
        if (std::optional<HistoryEntry> entry = find(number)) all.push_back(*std::move(entry));
    return all;
}

std::optional<HistoryEntry> PolicyHistory::find(std::uint32_t number) const {
    const std::optional<std::string> text = read_file(directory_of(number) + "/about.json");
    std::optional<HistoryEntry> entry = text ? entry_of(*text) : std::nullopt;
    if (entry && entry->number != number) return std::nullopt; // copied here by hand
    return entry;
}

Result<std::uint32_t> PolicyHistory::add(const PolicySource& source, HistoryEntry entry) const {
    if (!source.text) return fail(ErrorKind::internal, "a policy without its text");
    // Above what cannot be read, too: below it, every boot would take that for newer.
    const std::vector<std::uint32_t> before = SP_TRY(numbers());
    entry.number = before.empty() ? 1 : before.front() + 1;
    if (entry.number > kHighest)
        return fail(ErrorKind::conflict, "no number is left in " + directory_,
                    fmt::format("remove {}", directory_of(before.front())));
    entry.mode = source.policy.host.mode == Mode::observe ? "observe" : "enforce";
    entry.files.clear();
    SP_TRY(make_directory(directory_ + "/files"));
    for (const auto& [path, content] : source.text->files) {
        const std::string hash = sha256_hex(content);
        entry.files[path] = hash;
        const std::string kept = directory_ + "/files/" + hash;
        std::error_code error;
        if (!fs::exists(kept, error)) SP_TRY(replace_durably(kept, content));
    }
    // Under its name it is whole or not there.
    const std::string unfinished = directory_ + "/new";
    std::error_code error;
    fs::remove_all(unfinished, error);
    SP_TRY(make_directory(unfinished));
    SP_TRY(write_durably(unfinished + "/policy.toml", source.text->text));
    SP_TRY(write_durably(unfinished + "/about.json", to_text(entry)));
    SP_TRY(rename_durably(unfinished, directory_of(entry.number)));
    SP_TRY(remove_durably(down_marker()));
    prune();
    return entry.number;
}

Status PolicyHistory::set_outcome(std::uint32_t number, Outcome outcome) const {
    std::optional<HistoryEntry> entry = find(number);
    if (!entry)
        return fail(ErrorKind::not_found, fmt::format("policy {} is not in the history", number));
    entry->outcome = outcome;
    return replace_durably(directory_of(number) + "/about.json", to_text(*entry));
}

Status PolicyHistory::note_confirmed(const Enforced& enforced) const {
    for (const HistoryEntry& entry : entries())
        if (entry.outcome == Outcome::trial && entry.generation == enforced.began() &&
            enforced.is_of(entry.sha256, entry.contents()))
            return set_outcome(entry.number, Outcome::confirmed);
    return {};
}

Status PolicyHistory::end_trials(const Enforced& enforced) const {
    // First: what is good must not be taken for expired because a disk is full.
    SP_TRY(note_confirmed(enforced));
    for (const HistoryEntry& entry : entries())
        if (entry.outcome == Outcome::trial) SP_TRY(set_outcome(entry.number, Outcome::expired));
    return {};
}

std::optional<HistoryEntry> PolicyHistory::find_enforced(const Enforced& enforced) const {
    const std::vector<HistoryEntry> all = entries();
    const auto at = std::ranges::find_if(all, [&](const HistoryEntry& entry) {
        return enforced.is_of(entry.sha256, entry.contents());
    });
    return at == all.end() ? std::nullopt : std::optional(*at);
}

Result<PolicySource> PolicyHistory::load(const HistoryEntry& entry) const {
    const std::string path = directory_of(entry.number) + "/policy.toml";
    auto read = std::make_shared<PolicyText>();
    const auto changed = [&](const std::string& file) {
        return fail(
            ErrorKind::invalid_input,
            fmt::format("{} is not what was kept as a part of policy {}", file, entry.number),
            "sallyport history lists the others");
    };
    std::optional<std::string> text = read_file(path);
    if (!text || sha256_hex(*text) != entry.sha256) return changed(path);
    read->text = *std::move(text);
    for (const auto& [name, hash] : entry.files) {
        std::optional<std::string> content = read_file(directory_ + "/files/" + hash);
        if (!content || sha256_hex(*content) != hash) return changed(name);
        read->files[name] = *std::move(content);
    }
    ParsedPolicy parsed = parse_again(*read, entry.file);
    if (!parsed.policy) {
        for (const Diagnostic& diagnostic : parsed.diagnostics)
            if (diagnostic.severity == Severity::error)
                return fail(
                    ErrorKind::invalid_input,
                    fmt::format("policy {} is none any more: {}", entry.number, diagnostic.message),
                    diagnostic.hint);
        return changed(path);
    }
    return PolicySource{.policy = *std::move(parsed.policy),
                        .file = entry.file,
                        .sha256 = entry.sha256,
                        .by = entry.by,
                        .contents = entry.contents(),
                        .text = std::move(read)};
}

std::optional<HistoryEntry> PolicyHistory::before_current() const {
    const std::vector<HistoryEntry> all = entries();
    const auto current = std::ranges::find_if(all, &HistoryEntry::is_good);
    if (current == all.end()) return std::nullopt;
    const std::uint32_t place = current->restores != 0 ? current->restores : current->number;
    const auto before = std::ranges::find_if(all, [&](const HistoryEntry& entry) {
        return entry.is_good() && entry.number < place && entry.restores == 0;
    });
    return before == all.end() ? std::nullopt : std::optional(*before);
}

std::optional<HistoryEntry> PolicyHistory::last_good() const {
    const std::vector<HistoryEntry> all = entries();
    const auto at = std::ranges::find_if(all, &HistoryEntry::is_good);
    return at == all.end() ? std::nullopt : std::optional(*at);
}

std::vector<std::uint32_t> PolicyHistory::unreadable() const {
    std::vector<std::uint32_t> all = numbers().value_or(std::vector<std::uint32_t>{});
    std::erase_if(all, [this](std::uint32_t number) { return find(number).has_value(); });
    return all;
}

Status PolicyHistory::note_down() const {
    std::error_code error;
    if (!fs::exists(directory_, error)) return {}; // nothing was ever good
    const std::vector<std::uint32_t> all = SP_TRY(numbers());
    return replace_durably(down_marker(), fmt::format("{}\n", all.empty() ? 0 : all.front()));
}

bool PolicyHistory::was_taken_down() const {
    std::error_code error;
    if (!fs::exists(down_marker(), error)) return false;
    // An add() that was killed left the mark behind. One without a number is an older version's.
    std::istringstream mark(read_file(down_marker()).value_or(""));
    std::uint32_t last = 0;
    if (!(mark >> last)) return true;
    const Result<std::vector<std::uint32_t>> all = numbers();
    return !all || all->empty() || all->front() <= last;
}

void PolicyHistory::prune() const {
    const std::vector<HistoryEntry> all = entries();
    const auto good = std::ranges::find_if(all, &HistoryEntry::is_good);
    std::set<std::string> used;
    std::error_code error;
    const std::vector<std::uint32_t> lost = unreadable();
    for (std::size_t i = 0; i < all.size(); i++) {
        if (i >= kKept && (good == all.end() || all[i].number != good->number)) {
            fs::remove_all(directory_of(all[i].number), error);
            continue;
        }
        for (const auto& [name, hash] : all[i].files) used.insert(hash);
    }
    if (!lost.empty()) return; // nobody can say which files these need
    for (fs::directory_iterator at(directory_ + "/files", error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (!used.contains(at->path().filename())) fs::remove(at->path(), ignored);
    }
}

std::optional<HistoryEntry> entry_in_force(const std::string& state_dir, std::uint32_t generation,
                                           const std::string& sha256) {
    Enforced named;
    named.sha256 = sha256;
    Result<std::optional<Enforced>> record = load_enforced(state_dir, generation);
    if (record && *record && (*record)->generation == generation && (*record)->sha256 == sha256)
        named = **std::move(record);
    return PolicyHistory(state_dir).find_enforced(named);
}

} // namespace sallyport
