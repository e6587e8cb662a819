// SPDX-License-Identifier: Apache-2.0
#include "import/nft_match.h"

#include "base/ip.h"
#include "import/match.h"
#include "import/words.h"

#include <algorithm>
#include <set>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostBoxes = 2048;

enum class Value : std::uint8_t {
    address,
    port,
    proto,
    icmp,
    state,
    name,
    user,
    kind,
    group,
    flags
};

struct Key {
    Dim dim = Dim::src;
    Value value = Value::address;
    Box domain;                       // what it is asked of
    std::vector<std::uint8_t> protos; // of ports
    unsigned mask = 63;               // of flags
};

std::string word(const Json& json) {
    return json.is_string() ? json.get<std::string>() : json.dump();
}

std::optional<Key> transport_key(const std::string& proto, const std::string& field,
                                 Family family) {
    Key key{.dim = Dim::service, .value = Value::port, .domain = everything(family), .protos = {}};
    if (proto == "icmp" || proto == "icmpv6") {
        if (field != "type") return std::nullopt;
        const bool is_ours = (proto == "icmp") == (family == Family::v4);
        key.value = Value::icmp;
        key.domain[Dim::service] =
            is_ours ? ports_of(family == Family::v4 ? kIcmp4 : kIcmp6) : RangeSet();
        return key;
    }
    if (proto == "th")
        key.protos = {kTcp, kUdp, kSctp, kUdpLite, 33};
    else if (const auto number = protocol_number(proto); number && has_ports(*number))
        key.protos = {*number};
    if (key.protos.empty()) return std::nullopt;
    RangeSet services;
    for (const std::uint8_t number : key.protos) services = services | ports_of(number);
    key.domain[Dim::service] = services;
    if (field == "flags" && proto == "tcp") {
        key.dim = Dim::flags;
        key.value = Value::flags;
        return key;
    }
    if (field == "sport")
        key.dim = Dim::sport;
    else if (field != "dport")
        return std::nullopt;
    return key;
}

std::optional<Key> payload_key(const Json& payload, Family family) {
    const std::string proto = payload.value("protocol", "");
    const std::string field = payload.value("field", "");
    if (proto != "ip" && proto != "ip6") return transport_key(proto, field, family);
    Key key{.dim = Dim::src, .value = Value::address, .domain = everything(family), .protos = {}};
    if ((proto == "ip") != (family == Family::v4)) key.domain[Dim::src] = RangeSet();
    if (field == "protocol" || field == "nexthdr") {
        key.dim = Dim::service;
        key.value = Value::proto;
    } else if (field == "daddr") {
        key.dim = Dim::dst;
    } else if (field != "saddr") {
        return std::nullopt;
    }
    return key;
}

std::optional<Key> key_of(const Json& left, Family family) {
    Key key{.dim = Dim::src, .value = Value::name, .domain = everything(family), .protos = {}};
    if (left.contains("payload")) return payload_key(left["payload"], family);
    if (left.contains("&")) {
        const auto inner = key_of(left["&"].at(0), family);
        if (!inner || inner->value != Value::flags) return std::nullopt;
        unsigned mask = 0;
        for (const Json& name :
             left["&"].at(1).is_array() ? left["&"].at(1) : Json::array({left["&"].at(1)})) {
            const auto bit = flag_bits(word(name));
            if (!bit) return std::nullopt;
            mask |= *bit;
        }
        key = *inner;
        key.mask = mask;
        return key;
    }
    if (left.contains("ct") && left["ct"].value("key", "") == "state") {
        key.dim = Dim::state;
        key.value = Value::state;
        return key;
    }
    if (left.contains("fib")) {
        const Json& fib = left["fib"];
        if (fib.value("result", "") != "type" ||
            fib.value("flags", Json()) != Json::array({"daddr"}))
            return std::nullopt;
        key.dim = Dim::kind;
        key.value = Value::kind;
        return key;
    }
    if (!left.contains("meta")) return std::nullopt;
    const std::string what = left["meta"].value("key", "");
    if (what == "iifname" || what == "iif")
        key.dim = Dim::in;
    else if (what == "oifname" || what == "oif")
        key.dim = Dim::out;
    else if (what == "l4proto") {
        key.dim = Dim::service;
        key.value = Value::proto;
    } else if (what == "skuid") {
        key.dim = Dim::user;
        key.value = Value::user;
    } else if (what == "pkttype") {
        key.dim = Dim::kind;
        key.value = Value::kind;
    } else if (what == "nfproto" || what == "protocol") {
        key.value = Value::group;
    } else
        return std::nullopt;
    return key;
}

// "tcp", 6, 22: as the key understands it. None for what is not known.
std::optional<Range> number_value(const Key& key, const Json& value) {
    const std::string text = word(value);
    if (key.value == Value::proto) {
        const auto number = protocol_number(text);
        return number ? std::optional(Range{*number, *number}) : std::nullopt;
    }
    const auto number = number_of(text, key.value == Value::port ? 65535 : 0xffffffff);
    return number ? std::optional(Range{*number, *number}) : std::nullopt;
}

// Ports of each of the key's protocols, or whole protocols.
RangeSet spread(const Key& key, const Range& range) {
    if (key.value == Value::proto) {
        return {range.low << 16, range.high << 16 | 0xffff};
    }
    if (key.dim != Dim::service) return {range.low, range.high};
    RangeSet all;
    for (const std::uint8_t proto : key.protos) all = all | ports_of(proto, range.low, range.high);
    return all;
}

std::optional<RangeSet> scalar(const Key& key, const Json& value, Family family) {
    const std::string text = word(value);
    switch (key.value) {
    case Value::address:
        return addresses(text, family);
    case Value::icmp:
        return icmp_type(text, family);
    case Value::state:
        if (const auto state = conntrack_state(text)) return states({*state});
        return std::nullopt;
    case Value::name: {
        if (text.find('\\') != std::string::npos) return std::nullopt;
        const bool is_prefix = text.ends_with('*');
        return interface_named(is_prefix ? text.substr(0, text.size() - 1) : text, is_prefix);
    }
    case Value::kind: {
        const auto kind = destination_kind(text == "unicast" ? "UNICAST" : text);
        if (!kind) return std::nullopt;
        return RangeSet(static_cast<Wide>(*kind), static_cast<Wide>(*kind));
    }
    case Value::group: {
        const bool is_v4 = text == "ipv4" || text == "ip";
        if (!is_v4 && text != "ipv6" && text != "ip6") return std::nullopt;
        return is_v4 == (family == Family::v4) ? all_of(Dim::src, family) : RangeSet();
    }
    case Value::flags: {
        const auto bits = flag_bits(text);
        if (!bits) return std::nullopt;
        return tcp_flags(key.mask, *bits);
    }
    case Value::port:
    case Value::proto:
    case Value::user:
        break;
    }
    const auto range = number_value(key, value);
    return range ? std::optional(spread(key, *range)) : std::nullopt;
}

std::optional<RangeSet> one_value(const Key& key, const Json& value, Family family) {
    if (value.is_object() && value.contains("elem") && value["elem"].contains("val"))
        return one_value(key, value["elem"]["val"], family);
    if (value.is_object() && value.contains("prefix") && key.value == Value::address)
        return addresses(value["prefix"].value("addr", "") + "/" +
                             std::to_string(value["prefix"].value("len", 999)),
                         family);
    if (value.is_object() && value.contains("range")) {
        const Json& ends = value["range"];
        if (key.value == Value::address)
            return address_range(word(ends.at(0)) + "-" + word(ends.at(1)), family);
        if (key.value == Value::icmp || key.value == Value::name) return std::nullopt;
        const auto low = number_value(key, ends.at(0));
        const auto high = number_value(key, ends.at(1));
        if (!low || !high || low->low > high->high) return std::nullopt;
        return spread(key, {low->low, high->high});
    }
    if (!value.is_string() && !value.is_number()) return std::nullopt;
    return scalar(key, value, family);
}

// A set of the other family's addresses holds none of this one's.
bool is_of_other_family(const Json& value, Family family) {
    const auto text = value.is_string() ? value.get<std::string>() : std::string();
    const auto address = parse_address(text);
    return address && address->is_v4() != (family == Family::v4);
}

std::optional<std::vector<Box>> boxes_of(const std::vector<Key>& keys, const Json& elements,
                                         Family family) {
    std::vector<Box> boxes;
    Box joined = everything(family); // where there is one key its values are one set
    std::vector<Range> all;
    for (const Json& element : elements) {
        if (keys.size() == 1) {
            if (is_of_other_family(element, family)) continue;
            const auto set = one_value(keys[0], element, family);
            if (!set) return std::nullopt;
            all.insert(all.end(), set->ranges().begin(), set->ranges().end());
            continue;
        }
        const Json& plain =
            element.is_object() && element.contains("elem") ? element["elem"].at("val") : element;
        const Json& parts = plain.at("concat");
        if (parts.size() != keys.size() || boxes.size() == kMostBoxes) return std::nullopt;
        Box box = everything(family);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto set = one_value(keys[i], parts.at(i), family);
            if (!set) return std::nullopt;
            box = box & keys[i].domain;
            box[keys[i].dim] = box[keys[i].dim] & *set;
        }
        boxes.push_back(std::move(box));
    }
    if (keys.size() != 1) return boxes;
    joined[keys[0].dim] = RangeSet(std::move(all));
    return std::vector<Box>{joined};
}

} // namespace

std::optional<std::vector<Box>> nft_boxes(const Json& left, const Json& values, bool is_not,
                                          Family family, const NamedElements& sets) {
    std::vector<Key> keys;
    for (const Json& part : left.contains("concat") ? left["concat"] : Json::array({left})) {
        auto key = key_of(part, family);
        if (!key) return std::nullopt;
        keys.push_back(std::move(*key));
    }
    if (keys.size() > 1 && is_not) return std::nullopt;
    for (const Key& key : keys)
        if (key.domain.is_empty()) return std::vector<Box>{}; // of the other family
    Json elements = values;
    if (values.is_string() && values.get<std::string>().starts_with('@')) {
        const auto named = sets.find(values.get<std::string>().substr(1));
        if (named == sets.end()) return std::nullopt;
        elements = named->second;
    } else if (values.is_object() && values.contains("set")) {
        elements = values["set"];
    } else if (!values.is_array()) {
        elements = Json::array({values});
    }
    if (!elements.is_array()) elements = Json::array({elements});
    const auto boxes = boxes_of(keys, elements, family);
    if (!boxes || keys.size() > 1) return boxes;
    const Key& key = keys[0];
    Box box = key.domain;
    const RangeSet& set = boxes->front()[key.dim];
    box[key.dim] = is_not ? box[key.dim] - set : box[key.dim] & set;
    if (box.is_empty()) return std::vector<Box>{};
    return std::vector<Box>{box};
}

} // namespace sallyport::imported
