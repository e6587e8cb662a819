# SPDX-License-Identifier: Apache-2.0
"""The network of a site that runs its own models.

                     internet  203.0.113.9
                        │
    dmz 192.168.50.20 ──┤
                        │
    admin 10.0.0.10 ────┤              ┌── ai    10.0.1.5    the host to guard
    proxy 10.0.0.100 ───┼── router ────┤
    workstation ────────┘              └── data  10.0.2.10   PostgreSQL, Redis
      10.0.3.20

Every machine is a network namespace. The router forwards everything and filters
nothing, as a mistake in a real one would: the wall on the AI host stands alone.
"""
import os

from lab import Lab

PREFIX4, PREFIX6 = 24, 64

# segment: (the router's addresses, its machines: (role, IPv4, IPv6))
SEGMENTS = {
    "internet": (("203.0.113.1", "2001:db8:ffff::1"),
                 (("internet", "203.0.113.9", "2001:db8:ffff::9"),)),
    "dmz": (("192.168.50.1", "fd00:50::1"), (("dmz", "192.168.50.20", "fd00:50::20"),)),
    "office": (("10.0.0.1", "fd00:10::1"), (("admin", "10.0.0.10", "fd00:10::10"),
                                           ("proxy", "10.0.0.100", "fd00:10::100"))),
    "staff": (("10.0.3.1", "fd00:10:0:3::1"),
              (("workstation", "10.0.3.20", "fd00:10:0:3::20"),)),
    "models": (("10.0.1.1", "fd00:10:0:1::1"), (("ai", "10.0.1.5", "fd00:10:0:1::5"),)),
    "store": (("10.0.2.1", "fd00:10:0:2::1"), (("data", "10.0.2.10", "fd00:10:0:2::10"),)),
}
ADDRESS = {role: {4: v4, 6: v6} for _, machines in SEGMENTS.values() for role, v4, v6 in machines}
RESOLVER = {4: SEGMENTS["models"][0][0], 6: SEGMENTS["models"][0][1]}
# What a cloud's metadata service answers on; here the machine on the internet does.
METADATA = {4: "169.254.169.254", 6: "fd00:ec2::254"}

API_KEY = "correct-horse-battery-staple"


class Site(Lab):
    """The site, its services and their processes. `people` are agents by role,
    `services` those on the AI host by the unit they run in."""

    def build(self):
        router = self.host("router")
        for segment, (gateway, machines) in SEGMENTS.items():
            router.ip(f"link add {segment} type bridge mcast_snooping 0", f"link set {segment} up")
            for role, v4, v6 in machines:
                machine = self.host(role)
                self.cable(machine, "eth0", router, f"to-{role}")
                router.ip(f"link set to-{role} master {segment}")
                machine.address("eth0", f"{v4}/{PREFIX4}", f"{v6}/{PREFIX6}")
                machine.route(f"default via {gateway[0]}", f"default via {gateway[1]}")
            router.address(segment, f"{gateway[0]}/{PREFIX4}", f"{gateway[1]}/{PREFIX6}")
        router.forward()
        outside = self.hosts["internet"]
        # Deprecated at once, or it would be the source of what the internet sends (RFC 6724).
        outside.address("eth0", f"{METADATA[4]}/32", f"{METADATA[6]}/128 preferred_lft 0")
        router.route(f"{METADATA[4]} via {ADDRESS['internet'][4]}",
                     f"{METADATA[6]} via {ADDRESS['internet'][6]}")
        self.ai = self.hosts["ai"]
        self.people = {role: self.hosts[role].agent(name=role)
                       for role in ("internet", "dmz", "admin", "proxy", "workstation", "data",
                                    "router")}
        self.start_services()

    def start_services(self):
        self.services = {unit: self.process(unit, unit)
                         for unit in ("ssh", "ollama", "open-webui", "rag")}
        # What a model was talked into running: it has the unit's cgroup and a name of its own.
        self.services["model-payload"] = self.process("model-payload", "ollama")
        self.services["ssh"].call("listen", port=22, banner="SSH-2.0-stand-in")
        self.api_log = os.path.join(self.directory, "ollama.log")
        self.services["ollama"].call("serve_api", port=11434, key=API_KEY, log=self.api_log)
        self.services["open-webui"].call("listen", port=3000, banner="web UI")
        self.people["data"].call("listen", port=5432, banner="PostgreSQL")
        self.people["data"].call("listen", port=6379, banner="Redis")
        self.people["router"].call("listen", port=53, proto="udp")
        for port in (80, 443):
            self.people["internet"].call("listen", port=port, banner="somewhere else")
        self.people["internet"].call("listen", port=53, proto="udp")

    def process(self, name, unit):
        """A process on the AI host, in the cgroup of a unit."""
        return self.ai.agent(self.cgroup.child(f"system.slice/{unit}.service"), name=name)
