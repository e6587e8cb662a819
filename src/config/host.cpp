// SPDX-License-Identifier: Apache-2.0
// [host]: what is guarded, and how.
#include "base/text.h"
#include "config/cgroups.h"
#include "config/interfaces.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

Mode read_mode(Fields& fields) {
    return fields.choice("mode", Mode::enforce,
                         {{"enforce", Mode::enforce}, {"observe", Mode::observe}});
}

XdpMode read_xdp(Fields& fields) {
    return fields.choice(
        "xdp", XdpMode::automatic,
        {{"auto", XdpMode::automatic}, {"native", XdpMode::native}, {"generic", XdpMode::generic}});
}

PacketSockets read_packet_sockets(Fields& fields) {
    return fields.choice("packet-sockets", PacketSockets::report,
                         {{"deny", PacketSockets::deny},
                          {"report", PacketSockets::report},
                          {"allow", PacketSockets::allow}});
}

// Cgroups as rules name them; the slash before a path may be left out here.
std::vector<std::string> read_packet_socket_users(Fields& fields, PacketSockets mode) {
    std::vector<std::string> users;
    const Value* const list = fields.get("packet-socket-users");
    if (list == nullptr) return users;
    for (const Value* item : strings_of(*list, "packet-socket-users", fields.findings())) {
        Value path = *item;
        if (!path.text.empty() && !path.text.starts_with('/')) path.text.insert(0, 1, '/');
        if (!is_good_cgroup(path, fields.findings())) continue;
        if (path.text == "/")
            fields.findings().error(item->place, "\"/\" would spare every process",
                                    "name the cgroups that need packet sockets, or write "
                                    "packet-sockets = \"report\"");
        else
            users.push_back(std::move(path.text));
    }
    if (!users.empty() && mode != PacketSockets::deny)
        fields.findings().warning(list->place,
                                  "\"packet-socket-users\" spares nobody: nothing is denied",
                                  "packet-sockets = \"deny\" refuses such sockets to all others");
    return users;
}

Sysctls read_sysctls(Fields& fields) {
    return fields.choice("sysctls", Sysctls::check,
                         {{"check", Sysctls::check}, {"set", Sysctls::set}});
}

} // namespace

Host read_host(Fields& root) {
    Host host;
    const Value* const table = root.get("host", ValueKind::table);
    if (table == nullptr) {
        if (root.table().find("host") == nullptr)
            root.findings().error({.line = 1, .column = 1},
                                  "the policy needs [host] with \"interfaces\"",
                                  "name what to guard: interfaces = [\"eth0\"]");
        return host;
    }
    Fields fields(*table, "[host]", root.findings());
    if (const Value* interfaces =
            fields.need("interfaces", "name what to guard: interfaces = [\"eth0\"]"))
        host.interfaces = interface_globs(*interfaces, "interfaces", root.findings());
    host.mode = read_mode(fields);
    host.xdp = read_xdp(fields);
    if (const Value* cgroup = fields.get("cgroup", ValueKind::string);
        cgroup != nullptr && is_good_cgroup(*cgroup, root.findings()))
        host.cgroup = cgroup->text;
    host.packet_sockets = read_packet_sockets(fields);
    host.packet_socket_users = read_packet_socket_users(fields, host.packet_sockets);
    host.sysctls = read_sysctls(fields);
    fields.finish();
    return host;
}

} // namespace sallyport::config
