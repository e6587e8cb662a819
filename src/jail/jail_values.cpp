// SPDX-License-Identifier: Apache-2.0
#include "jail/jail_values.h"

#include "jail/date_fields.h"
#include "jail/words.h"

#include <charconv>

namespace sallyport::jail {

namespace {

constexpr long kRetriesMax = 1000;

class Reader {
  public:
    Reader(const Options& values, JailSettings& jail, Notes& notes)
        : values_(values), jail_(jail), notes_(notes) {}

    Status read() {
        SP_TRY(counts());
        SP_TRY(growth());
        SP_TRY(logs());
        SP_TRY(shuts_out());
        ignored();
        not_carried();
        return {};
    }

  private:
    [[nodiscard]] const Option* find(const char* key) const {
        const auto found = values_.find(key);
        return found == values_.end() || trimmed(found->second.value).empty() ? nullptr
                                                                              : &found->second;
    }
    void note(const char* key, const Option& option, std::string text) {
        notes_.push_back({.kind = NoteKind::not_carried,
                          .origin = option.origin,
                          .jail = jail_.name,
                          .key = key,
                          .text = std::move(text)});
    }
    [[nodiscard]] static std::unexpected<Error> wrong(const char* key, const Option& option,
                                                      const std::string& what) {
        const std::string where = to_string(option.origin);
        return fail(ErrorKind::invalid_input,
                    (where.empty() ? "" : where + ": ") + key + ": " + what);
    }
    Result<std::optional<std::chrono::seconds>> span(const char* key) const {
        const Option* const option = find(key);
        if (option == nullptr) return std::optional<std::chrono::seconds>();
        const Result<std::chrono::seconds> made = parse_time_span(option->value);
        if (!made) return wrong(key, *option, made.error().message);
        return std::optional(*made);
    }
    Result<std::optional<double>> number(const char* key) const {
        const Option* const option = find(key);
        if (option == nullptr) return std::optional<double>();
        const std::string_view text = trimmed(option->value);
        double value = 0;
        const auto [past, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || past != text.data() + text.size() || !(value > 0) ||
            !(value <= 1e6))
            return wrong(key, *option, "no number that makes sense");
        return std::optional(value);
    }

    Status counts() {
        if (const Option* option = find("maxretry")) {
            const std::optional<long> retries = parse_integer(option->value);
            if (!retries || *retries < 1 || *retries > kRetriesMax)
                return wrong("maxretry", *option, "no number from 1 to 1000");
            jail_.max_retry = static_cast<unsigned>(*retries);
        }
        if (const std::optional<std::chrono::seconds> find = SP_TRY(span("findtime"))) {
            if (find->count() < 1) return wrong("findtime", values_.at("findtime"), "too short");
            jail_.find_time = *find;
        }
        if (const std::optional<std::chrono::seconds> ban = SP_TRY(span("bantime"))) {
            if (ban->count() == 0) return wrong("bantime", values_.at("bantime"), "too short");
            jail_.ban_time = ban->count() < 0 ? std::nullopt : ban;
        }
        if (const Option* option = find("logtimezone")) {
            jail_.filter.zone_minutes = parse_zone(trimmed(option->value));
            if (!jail_.filter.zone_minutes)
                return wrong("logtimezone", *option, "this zone is not known; write UTC+0100");
        }
        return {};
    }

    Status growth() {
        const Option* const increment = find("bantime.increment");
        jail_.growth.on = increment != nullptr && parse_yes(increment->value);
        if (const std::optional<double> factor = SP_TRY(number("bantime.factor")))
            jail_.growth.factor = *factor;
        if (const Option* option = find("bantime.multipliers"))
            for (const std::string& word : split_words(option->value)) {
                const std::optional<long> times = parse_integer(word);
                if (!times || *times < 1 || *times > 1'000'000'000)
                    return wrong("bantime.multipliers", *option, "no list of whole numbers");
                jail_.growth.multipliers.push_back(static_cast<double>(*times));
            }
        jail_.growth.most = SP_TRY(span("bantime.maxtime"));
        if (const std::optional<std::chrono::seconds> random = SP_TRY(span("bantime.rndtime")))
            jail_.growth.random = *random;
        if (const Option* option = find("bantime.overalljails"))
            jail_.growth.over_all_jails = parse_yes(option->value);
        if (const Option* option = find("bantime.formula");
            option != nullptr && jail_.growth.on && jail_.growth.multipliers.empty())
            note("bantime.formula", *option,
                 "is a program and is not run; each ban lasts twice as long as the last");
        return {};
    }

    Status logs() {
        const Option* const backend = find("backend");
        jail_.from_journal = backend != nullptr && trimmed(backend->value).starts_with("systemd");
        if (jail_.from_journal) return {};
        const Option* const option = find("logpath");
        if (option == nullptr)
            return fail(ErrorKind::invalid_input,
                        "it has no logpath, and its backend is not systemd");
        for (const std::string& line : split(option->value, '\n')) {
            std::string path(trimmed(line));
            LogPath log;
            if (const std::size_t space = path.rfind(' '); space != std::string::npos) {
                log.tail = path.substr(space + 1) == "tail";
                path = trimmed(path.substr(0, space));
            }
            if (path.empty()) continue;
            if (!path.starts_with('/'))
                return wrong("logpath", *option, path + " does not begin with /");
            log.glob = std::move(path);
            jail_.logs.push_back(std::move(log));
        }
        return {};
    }

    // "10.0.0.0/8", "10.0.0.1/255.0.0.0", "::1"; bits below the length count for nothing.
    static std::optional<Prefix> network(std::string_view word) {
        const std::size_t slash = word.find('/');
        const std::optional<Address> address = parse_address(word.substr(0, slash));
        if (!address) return std::nullopt;
        const unsigned offset = address->is_v4() ? 96 : 0;
        if (slash == std::string_view::npos) return prefix_of(*address, 128);
        const std::string_view length = word.substr(slash + 1);
        if (const std::optional<long> bits = parse_integer(length))
            return *bits < 0 || *bits > 128 - static_cast<long>(offset)
                       ? std::nullopt
                       : std::optional(prefix_of(*address, static_cast<unsigned>(*bits) + offset));
        const std::optional<Address> mask = parse_address(length);
        if (!mask || mask->is_v4() != address->is_v4()) return std::nullopt;
        unsigned bits = offset;
        while (bits < 128 && mask->bit(bits)) ++bits;
        for (unsigned i = bits; i < 128; ++i)
            if (mask->bit(i)) return std::nullopt;
        return prefix_of(*address, bits);
    }

    void ignored() {
        if (const Option* option = find("ignoreself")) jail_.ignore_self = parse_yes(option->value);
        const Option* const option = find("ignoreip");
        if (option == nullptr) return;
        std::vector<Prefix> networks;
        for (const std::string& word : split_words(option->value)) {
            if (const std::optional<Prefix> one = network(word))
                networks.push_back(*one);
            else
                note("ignoreip", *option,
                     "\"" + word +
                         "\" is no address; names are never looked up, write its addresses");
        }
        if (networks.empty()) return;
        PeerPart part{.networks = std::make_shared<const std::vector<Prefix>>(std::move(networks)),
                      .except = {},
                      .interfaces = {}};
        jail_.ignored.parts.push_back(std::move(part));
    }

    // A jail may also open a port for whom it finds (pass2allow): the opposite of a ban.
    [[nodiscard]] Status shuts_out() const {
        const Option* const option = find("action");
        if (option == nullptr) return {};
        std::string text = lower(option->value);
        std::erase_if(text, [](char c) { return std::string_view(" \"'").contains(c); });
        if (text.contains("blocktype=return") || text.contains("blocktype=accept") ||
            text.contains("returntype=drop") || text.contains("returntype=reject"))
            return wrong(
                "action", *option,
                "lets in whom the filter finds (blocktype, returntype); here he would be shut out");
        return {};
    }

    void not_carried() {
        if (const Option* option = find("ignorecommand"))
            note("ignorecommand", *option, "no program is run; what it would spare is banned");
        if (const Option* option = find("action")) {
            std::string names;
            for (const std::string& line : split(option->value, '\n')) {
                const std::string name(trimmed(line.substr(0, line.find('['))));
                if (!name.empty() && name.find_first_of("\"=,]") == std::string::npos &&
                    !names.contains(name))
                    names += (names.empty() ? "" : ", ") + name;
            }
            note("action", *option,
                 names + ": not run; a ban here shuts out the source from every port");
        }
        if (const Option* option = find("usedns"))
            if (const std::string mode = lower(trimmed(option->value));
                mode == "yes" || mode == "raw")
                note("usedns", *option, "names are never looked up; only addresses are banned");
        if (const Option* option = find("logencoding"))
            if (const std::string name = lower(trimmed(option->value));
                name != "auto" && name != "utf-8" && name != "utf8" && name != "ascii")
                note("logencoding", *option, name + " is read as UTF-8");
        if (const Option* option = find("ignorecache"))
            note("ignorecache", *option, "there is no such cache");
    }

    const Options& values_;
    JailSettings& jail_;
    Notes& notes_;
};

} // namespace

Status take_jail_values(const Options& values, JailSettings& jail, Notes& notes) {
    return Reader(values, jail, notes).read();
}

} // namespace sallyport::jail
