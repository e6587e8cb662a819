// SPDX-License-Identifier: Apache-2.0
// A line of the stream back to an Event, for `tail` to show.
#include "event/json.h"
#include "event/names.h"

#include <charconv>
#include <concepts>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace sallyport {
namespace {

using nlohmann::json;

std::unexpected<Error> bad(std::string_view key) {
    return fail(ErrorKind::invalid_input, fmt::format("an event whose \"{}\" makes no sense", key));
}

// Reads one key after the other; the first that makes no sense is remembered.
class Fields {
  public:
    explicit Fields(const json& object) : object_(object) {}

    std::string string(const char* key) {
        const auto at = object_.find(key);
        if (at == object_.end()) return {};
        if (!at->is_string()) return note(key), std::string{};
        return at->get_ref<const std::string&>();
    }
    std::vector<std::string> strings(const char* key) {
        std::vector<std::string> values;
        const auto at = object_.find(key);
        if (at == object_.end()) return values;
        if (!at->is_array()) return note(key), values;
        for (const json& value : *at) {
            if (!value.is_string()) return note(key), values;
            values.push_back(value.get<std::string>());
        }
        return values;
    }
    template <std::unsigned_integral T> std::optional<T> number(const char* key) {
        const auto at = object_.find(key);
        if (at == object_.end()) return std::nullopt;
        if (!at->is_number_unsigned()) return note(key), std::nullopt;
        const auto value = at->get<std::uint64_t>();
        if (value > std::numeric_limits<T>::max()) return note(key), std::nullopt;
        return static_cast<T>(value);
    }
    // A name, or the number of something that has none here.
    template <typename Parse> auto named(const char* key, Parse parse) -> decltype(parse("")) {
        const std::string text = string(key);
        if (!object_.contains(key)) return std::nullopt;
        const auto value = parse(text);
        if (!value) note(key);
        return value;
    }
    bool flag(const char* key) {
        const auto at = object_.find(key);
        if (at == object_.end()) return false;
        if (!at->is_boolean()) return note(key), false;
        return at->get<bool>();
    }
    [[nodiscard]] const std::string& complaint() const { return complaint_; }
    void note(const char* key) {
        if (complaint_.empty()) complaint_ = key;
    }

  private:
    const json& object_;
    std::string complaint_;
};

template <typename Number> std::optional<Number> small_number(std::string_view text) {
    Number value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

template <typename Parse> auto or_number(Parse parse) {
    using Found = std::invoke_result_t<Parse, std::string_view>;
    return [parse](std::string_view text) -> Found {
        if (const Found known = parse(text)) return known;
        return small_number<typename Found::value_type>(text);
    };
}

std::optional<EventKind> kind_or_number(std::string_view text) {
    if (const auto known = parse_event_kind(text)) return known;
    if (const auto number = small_number<std::uint8_t>(text))
        return static_cast<EventKind>(*number);
    return std::nullopt;
}

std::optional<std::uint16_t> parse_ethertype(std::string_view text) {
    if (!text.starts_with("0x")) return std::nullopt;
    text.remove_prefix(2);
    std::uint16_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

void read_packet(Event& event, Fields& fields) {
    event.exfil = fields.flag("exfil");
    event.proto = fields.named("proto", parse_proto);
    event.ethertype = fields.named("ethertype", parse_ethertype).value_or(0);
    event.src = fields.named("src", parse_address);
    event.dst = fields.named("dst", parse_address);
    event.src_name = fields.string("src_name");
    event.dst_name = fields.string("dst_name");
    event.src_port = fields.number<std::uint16_t>("src_port");
    event.dst_port = fields.number<std::uint16_t>("dst_port");
    event.icmp_type = fields.number<std::uint8_t>("icmp_type");
    event.icmp_code = fields.number<std::uint8_t>("icmp_code");
    event.tcp_flags = fields.named("tcp_flags", parse_tcp_flags);
    event.len = fields.number<std::uint32_t>("len").value_or(0);
    event.iface = fields.string("iface");
    event.hook = fields.named("hook", or_number(parse_hook));
    event.socket_family = fields.named("family", or_number(parse_socket_family)).value_or(0);
    event.qdisc_bypass = fields.flag("qdisc_bypass");
}

void read_owner(Event& event, Fields& fields) {
    event.pid = fields.number<std::uint32_t>("pid");
    event.comm = fields.string("comm");
    event.exe = fields.string("exe");
    event.cmdline = fields.string("cmdline");
    event.ppid = fields.number<std::uint32_t>("ppid");
    event.parent = fields.string("parent");
    event.uid = fields.number<std::uint32_t>("uid");
    event.user = fields.string("user");
    event.cgroup = fields.string("cgroup");
    event.unit = fields.string("unit");
    event.slice = fields.string("slice");
    event.container = fields.string("container");
    event.container_name = fields.string("container_name");
    event.slurm_job = fields.string("slurm_job");
    event.slurm_step = fields.string("slurm_step");
    event.gpus = fields.strings("gpus");
}

} // namespace

Result<Event> event_from_json(std::string_view line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object()) return fail(ErrorKind::invalid_input, "not a JSON object");
    if (!object.contains("event")) return bad("event");

    Fields fields(object);
    Event event;
    event.seq = fields.number<std::uint64_t>("seq").value_or(0);
    event.at = fields.named("ts", parse_timestamp).value_or(WallTime{});
    event.host = fields.string("host");
    event.kind = fields.named("event", kind_or_number).value_or(EventKind::drop);
    event.direction = fields.named("direction", or_number(parse_direction));
    if (event.kind == EventKind::lost)
        event.lost_by = fields.named("reason", parse_lost_by);
    else
        event.reason = fields.named("reason", or_number(parse_reason)).value_or(0);
    event.rule = fields.string("rule");
    read_packet(event, fields);
    read_owner(event, fields);
    event.repeats = fields.number<std::uint64_t>("repeats").value_or(1);
    if (event.repeats == 0) fields.note("repeats");
    event.generation = fields.number<std::uint32_t>("generation").value_or(0);
    event.count = fields.number<std::uint64_t>("count").value_or(0);
    event.network = fields.named("network", [](std::string_view text) -> std::optional<Prefix> {
        const Result<Prefix> network = parse_prefix(text);
        return network ? std::optional(*network) : std::nullopt;
    });
    event.origin = fields.string("origin");
    event.seconds = fields.number<std::uint64_t>("seconds");
    event.state = fields.named("state", parse_event_state);
    event.file = fields.string("file");
    event.sha256 = fields.string("sha256");
    event.detail = fields.string("detail");
    if (!fields.complaint().empty()) return bad(fields.complaint());
    return event;
}

} // namespace sallyport
