// SPDX-License-Identifier: Apache-2.0
#include "import/iptables_words.h"

#include "import/match.h"
#include "import/words.h"

#include <algorithm>
#include <utility>

namespace sallyport::imported {

namespace {

class Reader {
  public:
    Reader(std::span<const std::string> words, Family family,
           const std::map<std::string, RangeSet>& sets)
        : words_(words), family_(family), sets_(sets), box_(everything(family)) {}

    ReadRule take() {
        while (at_ < words_.size()) option();
        hop_limits();
        Rule& rule = read_.rule;
        if (often_) rule.often = *often_;
        if (is_never_) return std::move(read_);
        rule.boxes = {box_};
        return std::move(read_);
    }

  private:
    // The option's value; an empty one where the line ends.
    const std::string& value() {
        static const std::string none;
        return at_ < words_.size() ? words_[at_++] : none;
    }

    void unknown(const std::string& what) { read_.rule.unknown.push_back(what); }

    void narrow(Dim dim, const RangeSet& set, bool is_not) {
        box_[dim] = is_not ? box_[dim] - set : box_[dim] & set;
        if (box_[dim].is_empty()) is_never_ = true;
    }
    void narrow(Dim dim, const std::optional<RangeSet>& set, bool is_not, const std::string& word,
                const std::string& text) {
        if (!set) return unknown(word + " " + text);
        narrow(dim, *set, is_not);
    }

    void option() {
        bool is_not = false;
        if (words_[at_] == "!" && at_ + 1 < words_.size()) {
            is_not = true;
            ++at_;
        }
        const std::string word = words_[at_++];
        if (word == "-m" || word == "--match") {
            module_ = value();
        } else if (word == "-j" || word == "--jump" || word == "-g" || word == "--goto") {
            target(value(), word == "-g" || word == "--goto");
        } else if (!header(word, is_not) && !transport(word, is_not) && !counted(word, is_not) &&
                   !other(word, is_not)) {
            unknown_option(word, is_not);
        }
    }

    void unknown_option(const std::string& word, bool is_not) {
        std::string text = (is_not ? "! " : "") + word;
        if (!module_.empty()) text = "-m " + module_ + " " + text;
        while (at_ < words_.size() && !words_[at_].starts_with('-') && words_[at_] != "!")
            text += " " + words_[at_++];
        unknown(text);
    }

    bool header(const std::string& word, bool is_not) {
        if (word == "-s" || word == "--source" || word == "--src") return address(Dim::src, is_not);
        if (word == "-d" || word == "--destination" || word == "--dst")
            return address(Dim::dst, is_not);
        if (word == "--src-range" || word == "--dst-range") {
            const std::string text = value();
            narrow(word == "--src-range" ? Dim::src : Dim::dst, address_range(text, family_),
                   is_not, word, text);
            return true;
        }
        if (word == "-i" || word == "--in-interface") return interface(Dim::in, is_not);
        if (word == "-o" || word == "--out-interface") return interface(Dim::out, is_not);
        if (word != "-p" && word != "--protocol") return false;
        const std::string text = value();
        if (text == "all" || text == "0") return true;
        proto_ = protocol_number(text);
        narrow(Dim::service, proto_ ? std::optional(ports_of(*proto_)) : std::nullopt, is_not, word,
               text);
        return true;
    }

    bool address(Dim dim, bool is_not) {
        const std::string text = value();
        RangeSet all;
        for (const std::string& part : parts_of(text, ',')) {
            const auto set = addresses(part, family_);
            if (!set) {
                unknown((dim == Dim::src ? "-s " : "-d ") + text);
                return true;
            }
            all = all | *set;
        }
        narrow(dim, all, is_not);
        return true;
    }

    bool interface(Dim dim, bool is_not) {
        std::string name = value();
        const bool is_prefix = name.ends_with('+');
        if (is_prefix) name.pop_back();
        narrow(dim, interface_named(name, is_prefix), is_not);
        return true;
    }

    bool transport(const std::string& word, bool is_not) {
        if (word == "--dport" || word == "--destination-port" || word == "--dports" ||
            word == "--destination-ports")
            return ports(Dim::service, is_not, word);
        if (word == "--sport" || word == "--source-port" || word == "--sports" ||
            word == "--source-ports")
            return ports(Dim::sport, is_not, word);
        if (word == "--icmp-type" || word == "--icmpv6-type") {
            const std::string text = value();
            narrow(Dim::service, icmp_type(text, family_), is_not, word, text);
            return true;
        }
        if (word == "--syn" || word == "--tcp-flags") {
            const auto mask = word == "--syn" ? std::optional(0x17u) : flag_bits(value());
            const auto set = word == "--syn" ? std::optional(0x02u) : flag_bits(value());
            if (!mask || !set)
                unknown(word);
            else
                narrow(Dim::flags, tcp_flags(*mask, *set), is_not);
            return true;
        }
        return false;
    }

    bool ports(Dim dim, bool is_not, const std::string& word) {
        const std::string text = value();
        std::vector<Range> found;
        for (const std::string& part : parts_of(text, ',')) {
            const auto range = port_range(part, ':');
            if (!range || !proto_ || (!has_ports(*proto_) && *proto_ != 33)) {
                unknown(word + " " + text);
                return true;
            }
            const Wide base = dim == Dim::service ? Wide{*proto_} << 16 : 0;
            found.push_back({base | range->low, base | range->high});
        }
        narrow(dim, RangeSet(std::move(found)), is_not);
        return true;
    }

    bool counted(const std::string& word, bool is_not) {
        static const std::set<std::string> rates{"--limit",           "--hashlimit",
                                                 "--hashlimit-upto",  "--hashlimit-above",
                                                 "--connlimit-above", "--connlimit-upto"};
        if (rates.contains(word) && std::exchange(has_rate_, true)) unknown("a second limit");
        const auto bucket = [this]() -> Often& {
            if (!often_) often_ = Often{};
            return *often_;
        };
        if (module_ == "limit" && word == "--limit") {
            bucket().sort = Often::Sort::total;
            if (!read_rate(value(), bucket())) unknown(word);
        } else if (word == "--limit-burst" || word == "--hashlimit-burst") {
            const auto count = number_of(value(), 1'000'000);
            if (count)
                bucket().burst = *count;
            else
                unknown(word);
        } else if (word == "--hashlimit-upto" || word == "--hashlimit-above" ||
                   word == "--hashlimit") {
            bucket().beyond = (word == "--hashlimit-above") != is_not;
            if (!read_rate(value(), bucket())) unknown(word);
            if (!has_mode_) bucket().sort = Often::Sort::total;
        } else if (word == "--hashlimit-mode") {
            has_mode_ = true;
            mode(bucket(), value());
        } else if (word == "--hashlimit-srcmask" || word == "--connlimit-mask") {
            prefix(bucket(), value());
        } else if (word == "--hashlimit-name" || word == "--hashlimit-htable-size" ||
                   word == "--hashlimit-htable-max" || word == "--hashlimit-htable-expire" ||
                   word == "--hashlimit-htable-gcinterval" || word == "--hashlimit-dstmask") {
            value();
        } else if (word == "--connlimit-above" || word == "--connlimit-upto") {
            bucket().sort = Often::Sort::connections;
            bucket().beyond = (word == "--connlimit-above") != is_not;
            const auto count = number_of(value(), 1'000'000);
            if (count && *count > 0)
                bucket().count = *count;
            else
                unknown(word);
        } else if (word == "--connlimit-saddr") {
            return true;
        } else if (module_ == "recent") {
            return recent(word, is_not);
        } else {
            return false;
        }
        if (is_not && !word.starts_with("--hashlimit") && !word.starts_with("--connlimit"))
            unknown("! " + word);
        return true;
    }

    void mode(Often& often, const std::string& text) {
        const auto modes = parts_of(text, ',');
        const auto has = [&modes](const char* name) {
            return std::ranges::find(modes, name) != modes.end();
        };
        if (has("srcport")) unknown("--hashlimit-mode " + text + ": a bucket for each connection");
        often.sort = has("srcip") ? Often::Sort::rate : Often::Sort::total;
        // By destination port too: one bucket for all ports is less, and never more.
    }

    void prefix(Often& often, const std::string& text) {
        const auto length = number_of(text, family_ == Family::v4 ? 32 : 128);
        if (!length) return unknown("a mask of " + text);
        (family_ == Family::v4 ? often.prefix4 : often.prefix6) = static_cast<unsigned>(*length);
    }

    bool recent(const std::string& word, bool is_not) {
        if (word == "--set" && !is_not) {
            read_.recent.act = Recent::Act::set;
        } else if ((word == "--update" || word == "--rcheck") && !is_not) {
            read_.recent.act = Recent::Act::check;
        } else if (word == "--name") {
            read_.recent.list = value();
        } else if (word == "--mask") {
            const std::string text = value();
            if (text != "255.255.255.255" && text != "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
                unknown("--mask " + text);
        } else if (word == "--seconds") {
            read_.recent.seconds = number_of(value(), 86400ull * 366).value_or(0);
        } else if (word == "--hitcount") {
            read_.recent.hits = number_of(value(), 65535).value_or(0);
        } else if (word != "--rsource") {
            return false;
        }
        return true;
    }

    bool other(const std::string& word, bool is_not) {
        if (word == "--state" || word == "--ctstate") return state(word, is_not);
        if (word == "--comment") {
            read_.rule.name = value();
            if (read_.rule.name.starts_with("dapp_")) read_.rule.name.clear(); // ufw's own mark
        } else if (word == "--match-set") {
            match_set(is_not);
        } else if (word == "--uid-owner") {
            owner(is_not);
        } else if (word == "--dst-type" || word == "--pkt-type") {
            kinds(word, is_not);
        } else if (word == "--hl-eq" || word == "--ttl-eq") {
            hops_ = (is_not ? "! " : "") + word + " " + value();
        } else if (word == "-c" || word == "--set-counters") {
            value();
            value();
        } else if (word == "-f" || word == "--fragment") {
            // Never of what is put together again before, nor of what Sallyport lets in.
            if (!is_not) is_never_ = true;
        } else {
            return target_option();
        }
        return true;
    }

    bool state(const std::string& word, bool is_not) {
        const std::string text = value();
        RangeSet all;
        for (const std::string& name : parts_of(text, ',')) {
            const auto known = conntrack_state(name);
            if (!known) {
                unknown(word + " " + text);
                return true;
            }
            all = all | states({*known});
        }
        narrow(Dim::state, all, is_not);
        return true;
    }

    void match_set(bool is_not) {
        const std::string name = value();
        const std::string where = value();
        const auto known = sets_.find(name);
        if (known == sets_.end())
            return unknown("--match-set " + name + " " + where +
                           ", whose addresses are not known (--ipset FILE, of `ipset save`)");
        if (where != "src" && where != "dst") return unknown("--match-set " + name + " " + where);
        narrow(where == "src" ? Dim::src : Dim::dst, known->second, is_not);
    }

    void owner(bool is_not) {
        const std::string text = value();
        const std::size_t dash = text.find('-');
        const auto low = number_of(std::string_view(text).substr(0, dash), 0xffffffff);
        const auto high = dash == std::string::npos
                              ? low
                              : number_of(std::string_view(text).substr(dash + 1), 0xffffffff);
        if (!low || !high) return unknown("--uid-owner " + text);
        narrow(Dim::user, RangeSet(*low, *high), is_not);
    }

    void kinds(const std::string& word, bool is_not) {
        const std::string text = value();
        RangeSet all;
        for (const std::string& name : parts_of(text, ',')) {
            const auto kind = destination_kind(name);
            if (!kind || (word == "--pkt-type" && name == "unicast"))
                return unknown(word + " " + text);
            all = all | RangeSet(static_cast<Wide>(*kind), static_cast<Wide>(*kind));
        }
        narrow(Dim::kind, all, is_not);
    }

    // Neighbour discovery is never taken here without its hop limit of 255.
    void hop_limits() {
        if (hops_.empty()) return;
        const RangeSet neighbours = ports_of(kIcmp6, 133 << 8, (137 << 8) + 255);
        if (hops_ == "--hl-eq 255" && neighbours.covers(box_[Dim::service])) return;
        unknown(hops_);
    }

    void target(const std::string& name, bool is_goto) {
        Rule& rule = read_.rule;
        has_target_ = true;
        static const std::set<std::string> refusing{"DROP", "REJECT"};
        static const std::set<std::string> queues{"QUEUE",  "NFQUEUE", "SYNPROXY",
                                                  "TARPIT", "CHAOS",   "DELUDE"};
        static const std::set<std::string> logs{"LOG", "NFLOG", "ULOG"};
        static const std::set<std::string> passing{
            "MARK",      "CONNMARK", "TCPMSS",   "CT",          "SET",         "AUDIT",
            "TRACE",     "CHECKSUM", "CLASSIFY", "DSCP",        "TOS",         "TTL",
            "HL",        "TEE",      "SECMARK",  "CONNSECMARK", "TCPOPTSTRIP", "ECN",
            "IDLETIMER", "LED",      "RATEEST",  "HMARK"};
        static const std::set<std::string> rewriting{"DNAT", "REDIRECT", "NETMAP", "TPROXY"};
        static const std::set<std::string> leaving{"SNAT", "MASQUERADE"};
        if (is_goto)
            rule.target = Target::go_to;
        else if (name == "ACCEPT")
            rule.target = Target::accept;
        else if (name == "RETURN")
            rule.target = Target::back;
        else if (refusing.contains(name))
            rule.target = Target::drop;
        else if (name == "NOTRACK" ||
                 (name == "CT" && std::ranges::find(words_, "--notrack") != words_.end())) {
            rule.target = Target::drop;
            unknown("its packets have no connection, and pass by the rules for these");
        } else if (queues.contains(name)) {
            rule.target = Target::drop;
            unknown("-j " + name + " asks a program");
        } else if (logs.contains(name))
            rule.target = Target::log;
        else if (passing.contains(name) || leaving.contains(name))
            rule.target = Target::none;
        else if (rewriting.contains(name)) {
            rule.target = Target::rewrite;
            read_.is_rewriting = true;
        } else
            rule.target = Target::jump;
        rule.chain = name;
    }

    // Of a target that needs nothing more said; all that follows is its own.
    bool target_option() {
        if (!has_target_) return false;
        while (at_ < words_.size() && words_[at_] != "-m" && words_[at_] != "!") ++at_;
        return true;
    }

    std::span<const std::string> words_;
    Family family_;
    const std::map<std::string, RangeSet>& sets_;
    std::size_t at_ = 0;
    std::string module_;
    std::optional<std::uint8_t> proto_;
    std::optional<Often> often_;
    Box box_;
    bool is_never_ = false; // no packet that is judged
    bool has_target_ = false;
    bool has_mode_ = false;
    bool has_rate_ = false;
    std::string hops_;
    ReadRule read_;
};

} // namespace

ReadRule read_iptables_rule(std::span<const std::string> words, Family family,
                            const std::map<std::string, RangeSet>& sets) {
    return Reader(words, family, sets).take();
}

} // namespace sallyport::imported
