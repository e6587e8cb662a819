// SPDX-License-Identifier: Apache-2.0
#include "daemon/kernel_settings.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace sallyport {
namespace {

constexpr std::uint8_t kTcp = 6;

std::string read_setting(const std::string& path) {
    std::ifstream in(path);
    std::string value;
    std::getline(in, value);
    return value;
}

bool write_setting(const std::string& path, const std::string& value) {
    std::ofstream out(path);
    out << value << "\n";
    out.close();
    return static_cast<bool>(out);
}

std::string dotted(std::string name) {
    std::ranges::replace(name, '/', '.');
    return name;
}

} // namespace

bool may_answer_by_cookies(const Rule& rule) {
    return rule.limit && rule.limit->rate.count != 0 && rule.limit->cookies &&
           (rule.services.any_protocol ||
            std::ranges::any_of(rule.services.ranges,
                                [](const ServiceRange& r) { return r.proto == kTcp; }));
}

std::map<std::string, std::string> settings_wanted(const Policy& policy) {
    std::map<std::string, std::string> wanted;
    if (policy.host.sysctls == Sysctls::set &&
        std::ranges::any_of(policy.rules, may_answer_by_cookies)) {
        wanted["net/ipv4/tcp_syncookies"] = "2";
        wanted["net/ipv4/tcp_timestamps"] = "2";
    }
    return wanted;
}

KernelSettings::KernelSettings(const std::string& state_dir, std::string root)
    : file_(state_dir + "/sysctls.json"), root_(std::move(root)) {
    std::ifstream in(file_);
    std::ostringstream text;
    text << in.rdbuf();
    const auto record = nlohmann::json::parse(text.str(), nullptr, false);
    if (!record.is_object()) return;
    for (const auto& [name, values] : record.items())
        if (values.is_object() && values.contains("before") && values["before"].is_string() &&
            values.contains("ours") && values["ours"].is_string() &&
            name.find("..") == std::string::npos)
            set_[name] = {.before = values["before"].get<std::string>(),
                          .ours = values["ours"].get<std::string>()};
}

bool KernelSettings::save(std::vector<std::string>& notes) const {
    std::error_code error;
    if (set_.empty()) {
        std::filesystem::remove(file_, error);
        return true;
    }
    nlohmann::json record = nlohmann::json::object();
    for (const auto& [name, setting] : set_)
        record[name] = {{"before", setting.before}, {"ours", setting.ours}};
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), error);
    std::ofstream out(file_ + ".new");
    out << record.dump() << "\n";
    out.close();
    if (out && std::rename((file_ + ".new").c_str(), file_.c_str()) == 0) return true;
    notes.push_back(file_ + " cannot be written: no sysctl is set, since none could be put back");
    return false;
}

void KernelSettings::put_back(const std::string& name, const Setting& setting,
                              std::vector<std::string>& notes) const {
    if (read_setting(root_ + name) != setting.ours) return; // somebody else's by now
    const bool done = write_setting(root_ + name, setting.before);
    notes.push_back(fmt::format("{} {} {}", dotted(name),
                                done ? "is again" : "cannot be set back to", setting.before));
}

void KernelSettings::follow(const Policy& policy, std::vector<std::string>& notes) {
    const std::map<std::string, std::string> wanted = settings_wanted(policy);
    for (auto at = set_.begin(); at != set_.end();) {
        const auto found = wanted.find(at->first);
        if (found != wanted.end() && found->second == at->second.ours) {
            ++at;
            continue;
        }
        put_back(at->first, at->second, notes);
        at = set_.erase(at);
        static_cast<void>(save(notes));
    }
    for (const auto& [name, value] : wanted) {
        const std::string before = read_setting(root_ + name);
        if (before == value) continue;
        const bool known = set_.contains(name); // and changed since: it is what the policy says
        if (!known) set_[name] = {.before = before, .ours = value};
        if (before.empty() || !save(notes) || !write_setting(root_ + name, value)) {
            notes.push_back(fmt::format("{} cannot be set to {}", dotted(name), value));
            if (!known) set_.erase(name);
            static_cast<void>(save(notes));
            continue;
        }
        notes.push_back(fmt::format("{} is {} now, and was {}", dotted(name), value, before));
    }
}

void KernelSettings::restore() {
    std::vector<std::string> notes;
    follow(Policy{}, notes);
}

} // namespace sallyport
