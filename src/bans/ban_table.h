// SPDX-License-Identifier: Apache-2.0
#pragma once
// Who is banned, as a value: prefixes with the time at which each ban ends, and those that
// are never banned. From it follows what each entry of the kernel's tries has to say.
//
// A trie answers with its longest prefix alone. So that a ban that is over does not hide a
// shorter one that stands, an entry bears the latest end of all bans that cover it, itself
// included; when one of them changes, those below it are written anew. A never prefix that
// lies in a ban is an entry which says that nobody is banned there, and nothing below it is
// entered.
#include "base/ip.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace sallyport {

// What a trie is to hold for a prefix.
struct BanEntry {
    Prefix prefix;
    std::optional<std::uint64_t> until_ns; // as in sp_ban; nullopt: no entry
    bool is_new = false;                   // there was none; or, of none, there was one
    bool is_mask = false;                  // of a never prefix
    bool operator==(const BanEntry&) const = default;
};

// Until when, on CLOCK_BOOTTIME in ns.
inline constexpr std::uint64_t kForEver = 0;
[[nodiscard]] constexpr bool is_later(std::uint64_t until, std::uint64_t than) {
    return than != kForEver && (until == kForEver || until > than);
}

class BanTable {
  public:
    // A prefix may be banned by somebody's word and by lists, each ending by itself.
    void ban(const Prefix& prefix, std::uint64_t until_ns);
    // False: it was not banned (of itself; a shorter prefix may be).
    bool lift(const Prefix& prefix);
    // One more, and one less, of the lists that name it.
    void enlist(const Prefix& prefix);
    void delist(const Prefix& prefix);
    // In place of those of before.
    void set_never(std::vector<Prefix> prefixes);

    [[nodiscard]] std::optional<std::uint64_t> until(const Prefix& prefix) const;
    [[nodiscard]] bool is_listed(const Prefix& prefix) const;
    // The first never prefix that overlaps it, either way.
    [[nodiscard]] std::optional<Prefix> never_within_or_around(const Prefix& prefix) const;
    // As the kernel judges it.
    [[nodiscard]] bool is_banned(const Address& address, std::uint64_t now_ns) const;
    // The longest other prefix that covers this one and is banned.
    [[nodiscard]] std::optional<Prefix> banned_around(const Prefix& prefix,
                                                      std::uint64_t now_ns) const;
    [[nodiscard]] std::size_t given() const { return given_; }   // by somebody's word
    [[nodiscard]] std::size_t listed() const { return listed_; } // by lists
    // Prefixes, each counted once; what the tries have room for.
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

    // What has to be written since the last call, in an order in which a never prefix is
    // free at each step. The caller does write it, or says redo().
    [[nodiscard]] std::vector<BanEntry> take_changes();
    // These were not written, or perhaps: they are among the next changes.
    void redo(const std::vector<BanEntry>& changes);

  private:
    struct Node {
        std::uint64_t until_ns = 0;   // when given
        std::uint64_t written_ns = 0; // when entered
        std::uint16_t lists = 0;
        bool given = false;
        bool never = false;
        bool entered = false;  // the trie has an entry for it
        bool doubtful = false; // whether it has, and which, is not known
        bool touched = false;  // among touched_
        [[nodiscard]] bool bans() const { return given || lists != 0; }
        [[nodiscard]] std::uint64_t end() const { return lists != 0 ? kForEver : until_ns; }
    };
    using Nodes = std::map<Prefix, Node>;

    Node& node_of(const Prefix& prefix);
    void touch(Nodes::iterator at);
    void touch_from(const Prefix& prefix);
    // Calls for each node that covers the prefix, itself included, the shortest first.
    template <typename Call> void for_each_around(const Prefix& prefix, Call call) const;
    [[nodiscard]] std::optional<std::uint64_t> wanted(const Prefix& prefix, const Node& node) const;

    Nodes nodes_;
    std::array<std::uint32_t, 129> lengths_{}; // how many nodes are so long
    std::vector<Prefix> touched_;
    std::vector<Prefix> never_;
    std::size_t given_ = 0;
    std::size_t listed_ = 0;
};

} // namespace sallyport
