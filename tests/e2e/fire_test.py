# SPDX-License-Identifier: Apache-2.0
"""Reloads under traffic: no packet is lost to a switch, let in by one, or judged by
half of each policy. 250 of them, or as many as 45 s allow; 1,000 with SP_LONG=1.
"""
import os
import time
import unittest

import slow
from harness import ABOVE, FAMILIES, FIRST, HOST, PEER, E2e, both, eventually, rule

LONG = os.environ.get("SP_LONG") == "1"
RELOADS, PATIENCE = (1000, 600.0) if LONG else (250, 45.0)
EVENTS = '[events]\nrepeat = "1s"\n'


def udp(kind, name, peers, port):
    return rule(kind, name, both(peers), proto="udp", ports=[port])


# A knows FIRST at port 1 of each way, B knows ABOVE at port 2. The address tables of
# one with the port tables of the other would let FIRST to port 2, or ABOVE to port 1,
# which neither allows. What both allow is another class in each: such a mixture would
# refuse it.
POLICIES = (
    udp("ingress", "all-in", PEER, 7080) + udp("egress", "all-out", PEER, 7180)
    + rule("ingress", "tcp-in", both(PEER), ports=[80])
    + rule("egress", "tcp-out", both(PEER), ports=[443])
    + udp("ingress", "a-in", FIRST, 7081) + udp("egress", "a-out", FIRST, 7181) + EVENTS,
    rule("ingress", "more", "any", ports=[9000, "9010-9019"])
    + udp("ingress", "b-in", ABOVE, 7082) + udp("egress", "b-out", ABOVE, 7182)
    + rule("egress", "tcp-out", both(PEER), ports=[443])
    + rule("ingress", "tcp-in", both(PEER), ports=[80])
    + udp("egress", "all-out", PEER, 7180) + udp("ingress", "all-in", PEER, 7080) + EVENTS,
)
# (who, port): which policies allow it.
STREAMS = {"both": (PEER, 0), "a": (FIRST, 1), "b": (ABOVE, 2), "mix-1": (FIRST, 2),
           "mix-2": (ABOVE, 1), "neither": (PEER, 3)}


class Fire(E2e):
    @classmethod
    def prepare(cls):
        cls.here.call("listen", port=80)
        cls.there.call("listen", port=443)

    def open_fire(self):
        """Starts all streams; {stream number: (name, way, family)}."""
        self.sinks = {}
        for way, agent, hosts, first in (("in", self.here, (HOST,), 7080),
                                         ("out", self.there, (PEER, FIRST, ABOVE), 7180)):
            addresses = [host[family] for host in hosts for family in FAMILIES]
            self.sinks[way] = agent, agent.call("sink", addresses=addresses,
                                                ports=list(range(first, first + 4)))["handle"]
        names = {}
        targets = {"in": [], "out": []}
        for way in targets:
            for family in FAMILIES:
                for name, (who, port) in STREAMS.items():
                    number = len(names) + 1
                    names[str(number)] = (name, way, family)
                    targets[way].append(
                        {"stream": number, "dst": (HOST if way == "in" else who)[family],
                         "src": who[family] if way == "in" else "",
                         "port": (7080 if way == "in" else 7180) + port})
        self.senders = {way: (agent, agent.call("stream", targets=targets[way])["handle"])
                        for way, agent in (("in", self.there), ("out", self.here))}
        return names

    def counted(self):
        """Quiet counts: {stream: (sent, refused, arrived, answers)}."""
        counts = {}
        for way, (agent, handle) in self.senders.items():
            arrived = self.sinks[way][0].call("sunk", handle=self.sinks[way][1])
            for stream, found in agent.call("streamed", handle=handle).items():
                counts[stream] = (found.get("sent", 0), found.get("eperm", 0),
                                  arrived.get(stream, 0), found["answers"])
        return counts

    def sent_by_peer(self):
        stats = self.peer.ip_json("-s", "link", "show", "dev", "eth0")[0]["stats64"]["tx"]
        return stats["packets"]

    def lost_by_veth(self):
        """Rings and backlogs that ran over: no business of the wall."""
        lost = 0
        for machine in (self.host, self.peer):
            stats = machine.ip_json("-s", "link", "show", "dev", "eth0")[0]["stats64"]
            lost += stats["tx"]["dropped"] + stats["rx"]["dropped"]
        return lost

    def sums(self):
        """(what the peer has sent, what arrived by the counters), with nothing under way."""
        for _ in range(50):
            before, status = self.sent_by_peer(), self.guard.status()
            if before == self.sent_by_peer():
                break
        xdp = next(h for h in status["hooks"] if h["hook"] == "xdp")
        return before, xdp["admitted"] + xdp["dropped"], status

    def never_back(self, old, new, path=""):
        """No counter is less than it was; rules and hooks are told apart by their names. Lists of
        things that come and go (the machine's packet sockets) have no counter."""
        if isinstance(old, dict):
            for key, value in old.items():
                if isinstance(value, (dict, list, int)) and key in new and key != "entries":
                    self.never_back(value, new[key], f"{path}/{key}")
        elif isinstance(old, list) and old and isinstance(old[0], dict):
            def by_name(items):
                return {(i.get("name") or i.get("hook"), i.get("iface")): i for i in items
                        if "name" in i or "hook" in i}
            self.never_back(by_name(old), by_name(new), path)
        elif isinstance(old, int) and not isinstance(old, bool):
            self.assertGreaterEqual(new, old, path)

    def load(self, rules, wanted):
        """SIGHUP, and what the daemon says to it."""
        since = os.path.getsize(self.guard.log)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(rules)
        self.guard.reload()
        until = time.monotonic() + 30.0
        while wanted not in self.guard.said(since):
            self.assertLess(time.monotonic(), until, self.guard.said(since))
            time.sleep(0.002)

    def check_now(self, number):
        """With the new policy in force: what only one of the two allows."""
        for family in FAMILIES:
            for way, agent, dst in (("in", self.there, HOST), ("out", self.here, None)):
                for which, (name, (who, port)) in enumerate((("a", STREAMS["a"]),
                                                             ("b", STREAMS["b"]))):
                    is_allowed = which == number % 2
                    got = agent.result("udp", dst=(dst or who)[family],
                                       src=who[family] if way == "in" else "",
                                       port=(7080 if way == "in" else 7180) + port,
                                       size=12, timeout=5.0 if is_allowed else 0.2)
                    self.assertEqual(got == "open", is_allowed,
                                     f"{name} {way} IPv{family} after reload {number}: {got}")

    def test_reloads_under_fire(self):
        texts = [self.policy(rules) for rules in POLICIES]
        self.begin(POLICIES[0])
        held = [(agent, agent.call("hold", dst=dst[family], port=port)["handle"])
                for family in FAMILIES
                for agent, dst, port in ((self.there, HOST, 80), (self.here, PEER, 443))]
        sent, arrived, status = self.sums()
        lost = self.lost_by_veth()
        first = status["generation"]
        names = self.open_fire()
        begun, reloads = time.monotonic(), 0
        while reloads < RELOADS and time.monotonic() < begun + PATIENCE:
            if reloads % 10 == 9:
                self.load("[[[" if reloads % 20 == 9 else texts[0] + "[[ingress]]\n",
                          "nothing has changed")
            reloads += 1
            self.load(texts[reloads % 2], f"protecting, generation {first + reloads},")
            for agent, handle in held if reloads % 5 == 0 else ():
                self.assertEqual(agent.result("exchange", handle=handle, timeout=5.0), "open",
                                 f"a held connection, after reload {reloads}")
            if reloads % 50 == 0 or reloads < 3:
                self.check_now(reloads)
                now = self.guard.status()
                self.never_back(status, now)
                status = now
        print(f"{reloads} reloads in {time.monotonic() - begun:.0f} s")
        self.assertGreater(reloads, 25 / slow.FACTOR, "the machine is too slow to tell anything")
        for agent, handle in self.senders.values():
            agent.call("stream_stop", handle=handle)
        lost = self.lost_by_veth() - lost
        print({names[s]: c for s, c in self.counted().items()}, f"{lost} lost by veth")
        self.check_streams(names, lost)
        self.check_counters(sent, arrived, status)
        self.check_events(first)

    def check_streams(self, names, lost):
        def complete():
            return all(got[0] == got[2] == got[3] for stream, got in self.counted().items()
                       if names[stream][0] == "both")
        eventually(complete, 5.0)
        missing = 0
        for stream, (sent, refused, arrived, answers) in self.counted().items():
            name, way, _ = names[stream]
            what = f"{names[stream]}: {sent} sent, {refused} refused, {arrived} arrived"
            if name == "both":
                self.assertEqual(refused, 0, what)
                self.assertGreater(arrived, 100, what)
                missing += 2 * sent - arrived - answers
            elif name in ("a", "b"):
                self.assertGreater(arrived, 0, what)
                self.assertGreater(sent + refused, arrived, what)
            else:
                self.assertEqual(arrived, 0, what)
                self.assertEqual(sent if way == "out" else 0, 0, what)
        self.assertLessEqual(missing, lost, "datagrams that both policies allow went missing")

    def check_counters(self, sent, arrived, status):
        def told():
            sent_now, arrived_now, now = self.sums()
            return sent_now - sent == arrived_now - arrived and now
        now = eventually(told)
        self.assertTrue(now, f"what arrived is not what was sent: {self.sums()[:2]}, "
                             f"from {sent, arrived}")
        self.never_back(status, now)
        self.assertEqual(sum(now["reasons"].values()), sum(h["dropped"] for h in now["hooks"]))
        # Nothing was cut, or taken for a stray.
        self.assertLessEqual(set(now["reasons"]), {"no-rule"})

    def check_events(self, first):
        """What only A allows is refused by B's generations alone, and the other way round."""
        self.guard.stop()
        seen = {0: 0, 1: 0}
        for event in self.guard.events(event="drop"):
            offset = event.get("dst_port", 0) % 100 - 80
            ours = event["src"] if event["direction"] == "ingress" else event["dst"]
            for which, (name, (who, port)) in enumerate((("a", STREAMS["a"]),
                                                         ("b", STREAMS["b"]))):
                if ours in who.values() and offset == port:
                    seen[which] += 1
                    self.assertNotEqual((event["generation"] - first) % 2, which, f"{name}: {event}")
        self.assertGreater(min(seen.values()), 4, "too few events to tell anything")


if __name__ == "__main__":
    unittest.main()
