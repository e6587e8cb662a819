// SPDX-License-Identifier: Apache-2.0
#pragma once
// The zones of a policy file, and whatever names peers by them.
#include "config/document.h"
#include "config/fields.h"
#include "config/findings.h"
#include "config/parse.h"
#include "policy/policy.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

// A path as one that stands in `file` means it.
[[nodiscard]] std::string beside(const std::string& file, const std::string& path);

class Zones {
  public:
    // `table` is the value of [zones], null when there is none. Names are checked at
    // once, contents when they are first asked for, or by finish().
    Zones(const Value* table, const ParseWorld& world, Findings& findings);

    // A zone, "any", "none", a network, or a list of these.
    [[nodiscard]] PeerSet peers(const Value& value, std::string_view key);
    // The same as networks alone; an error when interfaces are part of it, with `why`.
    [[nodiscard]] std::vector<Prefix> networks_of(const Value& value, std::string_view key,
                                                  const std::string& why);
    // The file of a zone that is a file and nothing else; "" after an error.
    [[nodiscard]] std::string file_of(const Value& name);
    // Reads the zones that nobody asked for, and warns of them.
    void finish();
    // A zone by its name, once all are read; nobody when there is none.
    [[nodiscard]] PeerSet named(const std::string& name) const;
    // All of them, by name; after finish().
    [[nodiscard]] std::vector<NamedZone> all() const;

  private:
    enum class State : unsigned char { unread, reading, read };
    struct Zone {
        const Entry* entry = nullptr;
        State state = State::unread;
        PeerSet peers;
        bool used = false;
    };

    [[nodiscard]] PeerSet zone_at(const Value& name);
    [[nodiscard]] PeerSet item(const Value& item, std::string_view key);
    void read(const std::string& name, Zone& zone);
    [[nodiscard]] PeerSet table_zone(const std::string& name, const Value& table);
    [[nodiscard]] PeerSet networks(const Value& list, std::string_view key);
    [[nodiscard]] PeerSet file(const Value& path);
    [[nodiscard]] PeerSet without(PeerSet set, const Value& except);
    [[nodiscard]] PeerSet only_on(PeerSet set, std::vector<std::string> interfaces, Place place);
    [[nodiscard]] std::vector<PrefixList> flat(const PeerSet& set, Place place);
    void unknown(const Value& name);

    const ParseWorld& world_;
    Findings& findings_;
    std::map<std::string, Zone> zones_;
    std::vector<std::string> path_; // zones being read, outermost first
    std::map<std::string, PrefixList> files_;
};

} // namespace sallyport::config
