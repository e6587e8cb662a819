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
    if (fields.not_yet("packet-sockets", "deny")) return PacketSockets::deny;
    return fields.choice("packet-sockets", PacketSockets::report,
                         {{"report", PacketSockets::report}, {"allow", PacketSockets::allow}});
}

Sysctls read_sysctls(Fields& fields) {
    if (fields.not_yet("sysctls", "set")) return Sysctls::set;
    return fields.choice("sysctls", Sysctls::check, {{"check", Sysctls::check}});
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
    // Whom a refusal of packet sockets would spare: nobody, while nothing is refused.
    if (const Value* users = fields.get("packet-socket-users", ValueKind::list);
        users != nullptr && !users->items.empty())
        fields.not_yet({"packet-socket-users"});
    host.sysctls = read_sysctls(fields);
    fields.finish();
    return host;
}

} // namespace sallyport::config
