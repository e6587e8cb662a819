// SPDX-License-Identifier: Apache-2.0
#include "daemon/vlan_offloads.h"

#include "kernel/offload.h"

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

bool has_vlans(unsigned index, const std::vector<Interface>& all) {
    return std::ranges::any_of(all, [index](const Interface& i) { return i.lower == index; });
}

// The devices that take the tags off: a bond's ports, else the NIC itself.
std::vector<const Interface*> carriers_of(unsigned index, const std::vector<Interface>& all) {
    std::vector<const Interface*> found;
    for (const Interface& i : all)
        if (i.master == index) found.push_back(&i);
    for (const Interface& i : all)
        if (found.empty() && i.index == index) return {&i};
    return found;
}

} // namespace

std::vector<std::string> covers_vlans_unseen(const std::vector<std::string>& guarded,
                                             const std::vector<Interface>& all) {
    std::vector<std::string> unseen;
    for (const std::string& name : guarded) {
        const auto nic = std::ranges::find(all, name, &Interface::name);
        if (nic == all.end() || !has_vlans(nic->index, all)) continue;
        const bool seen = std::ranges::all_of(carriers_of(nic->index, all), [](const auto* c) {
            const Result<VlanTags> tags = vlan_tags_of(c->name);
            return tags && *tags == VlanTags::seen;
        });
        if (!seen) unseen.push_back(name);
    }
    return unseen;
}

VlanOffloads::VlanOffloads(std::string state_dir) : file_(std::move(state_dir)) {
    file_ += "/vlan-offload.json";
    std::ifstream in(file_);
    std::ostringstream text;
    text << in.rdbuf();
    const auto record = nlohmann::json::parse(text.str(), nullptr, false);
    if (!record.is_object()) return;
    for (const auto& [name, index] : record.items())
        if (index.is_number_unsigned()) switched_[index.get<unsigned>()] = name;
}

void VlanOffloads::save(std::vector<std::string>& notes) const {
    std::error_code error;
    if (switched_.empty()) {
        std::filesystem::remove(file_, error);
        return;
    }
    nlohmann::json record = nlohmann::json::object();
    for (const auto& [index, name] : switched_) record[name] = index;
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), error);
    std::ofstream out(file_ + ".new");
    out << record.dump() << "\n";
    out.close();
    if (!out || std::rename((file_ + ".new").c_str(), file_.c_str()) != 0)
        notes.push_back(file_ + " cannot be written: `down` after a crash will not restore the "
                                "VLAN offload");
}

void VlanOffloads::follow(const std::vector<GuardedNic>& guarded, const std::vector<Interface>& all,
                          std::vector<std::string>& notes) {
    std::map<unsigned, const Interface*> carriers; // of guarded NICs with VLANs
    for (const GuardedNic& nic : guarded)
        if (has_vlans(nic.index, all))
            for (const Interface* c : carriers_of(nic.index, all)) carriers[c->index] = c;
    const auto wants_tags = [&](unsigned index) { return carriers.contains(index); };
    for (auto at = switched_.begin(); at != switched_.end();) {
        const auto there = std::ranges::find(all, at->first, &Interface::index);
        if (there != all.end() && wants_tags(at->first)) {
            if (std::exchange(at->second, there->name) != there->name) save(notes);
            ++at;
            continue;
        }
        // After a reboot another device may have the index.
        if (there != all.end() && there->name == at->second) {
            const Status back = set_vlan_tags(there->name, VlanTags::stripped);
            notes.push_back(there->name +
                            (back ? ": VLAN offload is on again" : ": " + back.error().text()));
        }
        at = switched_.erase(at);
        save(notes);
    }
    std::erase_if(told_, [&](const auto& told) { return !wants_tags(told.first); });
    for (const auto& [index, carrier] : carriers) {
        const std::string& name = carrier->name;
        const Result<VlanTags> tags = vlan_tags_of(name);
        if (tags && *tags == VlanTags::seen) continue;
        std::string why = tags ? "its peer takes the tags off" : tags.error().text();
        if (tags && *tags == VlanTags::stripped) {
            switched_[index] = name;
            save(notes); // before it is done
            const Status off = set_vlan_tags(name, VlanTags::seen);
            if (off) {
                notes.push_back(name + ": VLAN offload is off, so that XDP sees the tags");
                continue;
            }
            switched_.erase(index);
            save(notes);
            why = off.error().text();
        }
        if (told_[index] != why)
            notes.push_back(fmt::format("{}: XDP does not see VLAN tags ({}); the policy of {} "
                                        "covers its VLANs",
                                        name, why, name));
        told_[index] = why;
    }
}

void VlanOffloads::restore() {
    const Result<std::vector<Interface>> all = list_interfaces();
    if (!all) return;
    std::vector<std::string> notes;
    follow({}, *all, notes);
}

} // namespace sallyport
