// SPDX-License-Identifier: Apache-2.0
// Runs filters over fail2ban's annotated sample logs and compares with what the
// annotations say: does the line match, whom does it accuse, when was it.
//
//   jail_samples CONFIG_DIR LOGS_DIR [FILTER...]
//
// Prints a Markdown table; to stderr each line that is judged otherwise. Dates in the
// samples are local to Europe/Zurich and "now" is 2005-08-14T10:00:00Z: set TZ.
#include "base/ip.h"
#include "jail/filter_file.h"
#include "jail/judge.h"

#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace sallyport;
using namespace sallyport::jail;

namespace {

using nlohmann::json;
constexpr LogTime kNow{std::chrono::seconds(1124013600)};

struct Tally {
    unsigned lines = 0;    // judged, once for each set of options
    unsigned matching = 0; // of these, that should match
    unsigned agree = 0;
    unsigned not_carried = 0; // the filter cannot be used; its lines are not judged
    std::string why;
};

Result<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorKind::not_found, "cannot open " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

FileWorld disk() {
    return {.read_file = read_file, .list = [](const std::string& directory) {
                std::vector<std::string> names;
                std::error_code none;
                for (const auto& entry : std::filesystem::directory_iterator(directory, none))
                    names.push_back(entry.path().filename());
                std::ranges::sort(names);
                return names;
            }};
}

struct Filter {
    std::map<std::string, std::string> options;
    std::string line_prefix;
    bool from_journal = false;
    std::optional<Judge> judge; // none: not carried
};

Result<Filter> load(const std::string& config, const std::string& name, const json& options) {
    Filter made;
    for (const auto& [key, value] : options.items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        if (!key.starts_with("test.")) made.options[key] = text;
        if (key == "test.prefix-line") made.line_prefix = text;
        if (key == "logtype") made.from_journal = text == "journal";
    }
    FilterFile file = SP_TRY(FilterFile::read(disk(), config, name, made.options));
    FilterSettings settings;
    settings.name = name;
    const Options values = SP_TRY(file.values({}, false));
    SP_TRY(take_filter_values(values, settings));
    made.judge = SP_TRY(Judge::make(settings, Check::all));
    return made;
}

std::optional<LogTime> parse_local(const std::string& text) {
    std::tm at{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &at);
    if (rest == nullptr) return std::nullopt;
    at.tm_isdst = -1;
    const double fraction = *rest == '.' ? std::stod(rest) : 0;
    return LogTime(std::chrono::seconds(std::mktime(&at)) +
                   std::chrono::microseconds(static_cast<long>(fraction * 1e6)));
}

bool same_host(const std::string& a, const std::string& b) {
    const auto first = parse_address(a);
    const auto second = parse_address(b);
    return first && second ? *first == *second : a == b;
}

// Empty when the verdict is the annotation's, else what differs.
std::string difference(const json& wanted, const std::vector<Failure>& found) {
    const bool match = wanted.value("match", false);
    if (match != !found.empty()) return match ? "not matched" : "matched, of " + found[0].who;
    if (!match) return {};
    if (found.size() != 1) return fmt::format("{} expressions match", found.size());
    const Failure& failure = found.front();
    for (const auto& [key, value] : wanted.items()) {
        if (key == "match" || key == "desc" || key == "constraint" || key == "time") continue;
        if (key == "users" || !(value.is_string() || value.is_number())) {
            if (key == "users" && value.get<std::set<std::string>>() != failure.facts.users)
                return "other users";
            continue;
        }
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        std::string got = found_in(failure.facts.groups, key).value_or("");
        if (key == "host" || (key == "fid" && got.empty())) got = failure.who;
        if (key == "attempts") got = std::to_string(failure.facts.matches);
        if (key == "host" ? !same_host(got, text) : got != text)
            return fmt::format("{} is \"{}\", not \"{}\"", key, got, text);
    }
    if (!wanted.contains("time") || wanted["time"].is_null()) return {};
    const std::optional<LogTime> time = parse_local(wanted["time"]);
    if (failure.time == time) return {};
    const long off =
        failure.time && time
            ? std::chrono::duration_cast<std::chrono::seconds>(*failure.time - *time).count()
            : 0;
    return failure.time ? fmt::format("time is off by {} s", off) : "no time";
}

class Run {
  public:
    Run(std::string config, std::string logs, std::string name)
        : config_(std::move(config)), logs_(std::move(logs)), name_(std::move(name)) {}

    Tally run() {
        files_.push_back(name_);
        for (std::size_t i = 0; i < files_.size(); ++i) run_file(files_[i]);
        return tally_;
    }

  private:
    void run_file(const std::string& file) {
        const Result<std::string> text = read_file(logs_ + "/" + file);
        if (!text) return;
        std::istringstream lines(*text);
        ignore_ = false;
        number_ = 0;
        for (std::string line; std::getline(lines, line);) {
            ++number_;
            json wanted = json::object();
            if (annotation(line, wanted)) {
                if (!std::getline(lines, line)) break;
                ++number_;
            } else if (ignore_ || line.starts_with('#') ||
                       line.find_first_not_of(" \t\r") == std::string::npos) {
                continue;
            }
            if (line.ends_with('\r')) line.pop_back();
            if (!ignore_) judge(file, line, wanted);
        }
    }

    // True when the next line is what it speaks of.
    bool annotation(const std::string& line, json& wanted) {
        const std::size_t from = line.find_first_not_of("# ");
        if (!line.starts_with('#') || from == std::string::npos) return false;
        const std::string_view rest = std::string_view(line).substr(from);
        const auto after = [&](std::string_view key) {
            return rest.starts_with(key) ? json::parse(rest.substr(key.size()), nullptr, false)
                                         : json(json::value_t::discarded);
        };
        if (const json found = after("failJSON:"); !found.is_discarded()) {
            wanted = found;
            return true;
        }
        if (const json found = after("fileOptions:"); !found.is_discarded()) common_ = found;
        if (const json found = after("addFILE:"); !found.is_discarded()) files_.push_back(found);
        if (const json found = after("filterOptions:"); !found.is_discarded()) select(found);
        return false;
    }

    // "name=='sshd'" is the only kind of condition that the samples have.
    [[nodiscard]] bool holds(const std::string& condition) const {
        return condition.contains("'" + name_ + "'");
    }

    void select(const json& wanted) {
        chosen_.clear();
        ignore_ = false;
        for (const json& one : wanted.is_array() ? wanted : json::array({wanted})) {
            json options = common_;
            options.update(one);
            const std::string condition = options.value("test.condition", "");
            if (!condition.empty()) ignore_ = !holds(condition);
            if (!ignore_) choose(options);
        }
    }

    void choose(const json& options) {
        const std::string key = options.dump();
        if (!filters_.contains(key)) {
            Result<Filter> made = load(config_, name_, options);
            if (!made) {
                tally_.why = made.error().text();
                filters_[key] = {};
            } else {
                filters_[key] = std::move(*made);
            }
        }
        chosen_.push_back({key, options});
    }

    void judge(const std::string& file, const std::string& line, const json& wanted) {
        if (chosen_.empty()) choose(json::object());
        for (const auto& [key, options] : chosen_) {
            if (wanted.contains("constraint") && !constrained(wanted["constraint"], options))
                continue;
            Filter& filter = filters_[key];
            if (!filter.judge) {
                ++tally_.not_carried;
                continue;
            }
            Verdict verdict = filter.from_journal
                                  ? filter.judge->judge(filter.line_prefix + line, kNow, kNow)
                                  : filter.judge->judge(line, kNow);
            std::erase_if(verdict.failures, [](const Failure& f) { return !f.is_failure; });
            const std::string wrong = difference(wanted, verdict.failures);
            ++tally_.lines;
            if (wanted.value("match", false)) ++tally_.matching;
            if (wrong.empty())
                ++tally_.agree;
            else
                fmt::print(stderr, "{}:{}: {} {}: {}\n    {}\n", file, number_, name_, key, wrong,
                           line);
        }
    }

    // "name == 'sshd'", "opts.get('mode') == 'x'" and its opposite.
    [[nodiscard]] bool constrained(const std::string& text, const json& options) const {
        if (text.starts_with("name")) return holds(text);
        const bool is_mode = text.contains("'" + options.value("mode", "") + "'");
        return is_mode != text.contains("!=");
    }

    std::string config_, logs_, name_;
    std::vector<std::string> files_;
    std::map<std::string, Filter> filters_;
    std::vector<std::pair<std::string, json>> chosen_;
    json common_ = json::object();
    bool ignore_ = false;
    unsigned number_ = 0;
    Tally tally_;
};

std::vector<std::string> filters_in(const std::string& config) {
    std::vector<std::string> names;
    for (const std::string& file : disk().list(config + "/filter.d"))
        if (file.ends_with(".conf") && !file.ends_with("common.conf"))
            names.push_back(file.substr(0, file.size() - 5));
    return names;
}

void print_row(const std::string& name, const Tally& tally) {
    const double percent = tally.lines == 0 ? 0 : 100.0 * tally.agree / tally.lines;
    fmt::print("| {} | {} | {} | {} | {} | {} |\n", name, tally.lines, tally.matching, tally.agree,
               tally.lines == 0 ? "-" : fmt::format("{:.1f}", percent), tally.not_carried);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: jail_samples CONFIG_DIR LOGS_DIR [FILTER...]\n");
        return 2;
    }
    std::vector<std::string> names(argv + 3, argv + argc);
    if (names.empty()) names = filters_in(argv[1]);
    fmt::print("| Filter | Lines judged | Should match | As annotated | % | Not carried "
               "|\n|---|---:|---:|---:|---:|---:|\n");
    Tally all;
    for (const std::string& name : names) {
        if (!std::filesystem::exists(std::string(argv[2]) + "/" + name)) continue;
        const Tally tally = Run(argv[1], argv[2], name).run();
        print_row(name, tally);
        if (!tally.why.empty()) fmt::print(stderr, "{}: {}\n", name, tally.why);
        all.lines += tally.lines;
        all.matching += tally.matching;
        all.agree += tally.agree;
        all.not_carried += tally.not_carried;
    }
    print_row("**all**", all);
    return all.agree == all.lines ? 0 : 1;
}
