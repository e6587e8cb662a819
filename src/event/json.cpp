// SPDX-License-Identifier: Apache-2.0
// The one place that knows the field names. Written by hand rather than through
// a JSON value: a line is made for every event, and control characters that
// JSON would let through (DEL, C1) must not reach somebody's terminal.
#include "event/json.h"

#include "base/text.h"
#include "event/names.h"

#include <fmt/format.h>

namespace sallyport {
namespace {

class Line {
  public:
    void number(std::string_view key, std::uint64_t value) {
        name(key);
        fmt::format_to(std::back_inserter(text_), "{}", value);
    }
    void string(std::string_view key, std::string_view value) {
        name(key);
        append_quoted(value);
    }
    void strings(std::string_view key, const std::vector<std::string>& values) {
        name(key);
        text_ += '[';
        for (const std::string& value : values) {
            if (!text_.ends_with('[')) text_ += ',';
            append_quoted(value);
        }
        text_ += ']';
    }
    void flag(std::string_view key) {
        name(key);
        text_ += "true";
    }
    [[nodiscard]] std::string close() && { return std::move(text_ += '}'); }

  private:
    void name(std::string_view key) {
        text_ += text_.empty() ? '{' : ',';
        fmt::format_to(std::back_inserter(text_), "\"{}\":", key);
    }
    void append_quoted(std::string_view value) {
        text_ += '"';
        append_escaped(value);
        text_ += '"';
    }
    void append_escaped(std::string_view value) {
        for (std::size_t at = 0; at < value.size();) {
            const Character c = character_at(value, at);
            at += c.bytes.size();
            if (!c.code) {
                text_ += "\xef\xbf\xbd";
            } else if (*c.code == '"' || *c.code == '\\') {
                text_ += '\\';
                text_ += c.bytes;
            } else if (is_printable(c.bytes)) {
                text_ += c.bytes;
            } else {
                append_unit(*c.code);
            }
        }
    }
    void append_unit(char32_t point) {
        const auto unit = [&](unsigned value) {
            fmt::format_to(std::back_inserter(text_), "\\u{:04x}", value);
        };
        const auto value = static_cast<unsigned>(point);
        if (value < 0x10000) return unit(value);
        unit(0xd7c0u + (value >> 10));
        unit(0xdc00u + (value & 0x3ff));
    }
    std::string text_;
};

void write_packet(Line& line, const Event& event) {
    if (event.exfil) line.flag("exfil");
    if (event.proto)
        line.string("proto", proto_name(*event.proto));
    else if (event.ethertype != 0)
        line.string("ethertype", fmt::format("0x{:04x}", event.ethertype));
    if (event.src) line.string("src", to_string(*event.src));
    if (event.src_port) line.number("src_port", *event.src_port);
    if (!event.src_name.empty()) line.string("src_name", event.src_name);
    if (event.dst) line.string("dst", to_string(*event.dst));
    if (event.dst_port) line.number("dst_port", *event.dst_port);
    if (!event.dst_name.empty()) line.string("dst_name", event.dst_name);
    if (event.icmp_type) line.number("icmp_type", *event.icmp_type);
    if (event.icmp_code) line.number("icmp_code", *event.icmp_code);
    if (event.tcp_flags) line.string("tcp_flags", tcp_flag_letters(*event.tcp_flags));
    if (event.len != 0) line.number("len", event.len);
}

void write_owner(Line& line, const Event& event) {
    if (event.pid) line.number("pid", *event.pid);
    if (!event.comm.empty()) line.string("comm", event.comm);
    if (!event.exe.empty()) line.string("exe", event.exe);
    if (!event.cmdline.empty()) line.string("cmdline", event.cmdline);
    if (event.ppid) line.number("ppid", *event.ppid);
    if (!event.parent.empty()) line.string("parent", event.parent);
    if (event.uid) line.number("uid", *event.uid);
    if (!event.user.empty()) line.string("user", event.user);
    if (!event.cgroup.empty()) line.string("cgroup", event.cgroup);
    if (!event.unit.empty()) line.string("unit", event.unit);
    if (!event.slice.empty()) line.string("slice", event.slice);
    if (!event.container.empty()) line.string("container", event.container);
    if (!event.container_name.empty()) line.string("container_name", event.container_name);
    if (!event.slurm_job.empty()) line.string("slurm_job", event.slurm_job);
    if (!event.slurm_step.empty()) line.string("slurm_step", event.slurm_step);
    if (!event.gpus.empty()) line.strings("gpus", event.gpus);
}

} // namespace

std::string to_json_line(const Event& event) {
    Line line;
    line.number("v", 1);
    if (event.seq != 0) line.number("seq", event.seq);
    line.string("ts", timestamp_text(event.at));
    if (!event.host.empty()) line.string("host", event.host);
    line.string("event", to_string(event.kind));
    if (event.direction) line.string("direction", direction_name(*event.direction));
    if (event.lost_by)
        line.string("reason", to_string(*event.lost_by));
    else if (event.reason != 0)
        line.string("reason", reason_name(event.reason));
    if (!event.rule.empty()) line.string("rule", event.rule);
    write_packet(line, event);
    if (!event.iface.empty()) line.string("iface", event.iface);
    if (event.hook) line.string("hook", hook_name(*event.hook));
    if (event.socket_family != 0) line.string("family", socket_family_name(event.socket_family));
    if (event.qdisc_bypass) line.flag("qdisc_bypass");
    write_owner(line, event);
    if (event.repeats != 1) line.number("repeats", event.repeats);
    if (event.generation != 0) line.number("generation", event.generation);
    if (event.network) line.string("network", to_string(*event.network));
    if (!event.origin.empty()) line.string("origin", event.origin);
    if (event.seconds) line.number("seconds", *event.seconds);
    if (event.kind == EventKind::lost || event.count != 0) line.number("count", event.count);
    if (event.state) line.string("state", to_string(*event.state));
    if (!event.file.empty()) line.string("file", event.file);
    if (!event.sha256.empty()) line.string("sha256", event.sha256);
    if (!event.detail.empty()) line.string("detail", event.detail);
    return std::move(line).close();
}

} // namespace sallyport
