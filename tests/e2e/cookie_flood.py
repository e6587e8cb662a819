# SPDX-License-Identifier: Apache-2.0
"""A flood of forged SYNs, and what the two ends of a connection agreed on."""
import contextlib
import re
import threading
import time

from foreign import foreign
from harness import HOST, E2e, packets, rule


def limited(name, port, lines):
    return rule("ingress", name, ["10.0.0.0/8", "fd00::/8"], ports=[port]) + lines + "\n"


class Flooded(E2e):
    """The listeners are real, the clients too; only the flood is made."""

    XDP = "native"
    PORTS = ()

    @classmethod
    def policy(cls, *arguments, **options):
        return super().policy(*arguments, **{"host": f'xdp = "{cls.XDP}"', **options})

    @classmethod
    def prepare(cls):
        cls.host.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=2")
        if cls.XDP == "native":  # veth sends back what XDP answers to an end with a program only
            cls.peer.ip(f"link set dev eth0 xdpdrv obj {foreign('nic', cls.lab.directory)} sec xdp")
        cls.flooder = cls.peer.agent(name="flooder")
        for port in cls.PORTS:
            cls.here.call("listen", port=port)

    def forged(self, family, number):
        return f"10.77.{number >> 8}.{number & 255}" if family == 4 else f"fd00:77:{number:x}::1"

    def flood(self, family, port, number):
        """A SYN from each of so many sources that nobody has."""
        frames = [self.frame(packets.ip(self.forged(family, i), HOST[family], packets.TCP,
                                        packets.tcp(self.forged(family, i), HOST[family],
                                                    20000 + i, port))).hex() for i in range(number)]
        self.flooder.call("send_frames", interface="eth0", frames=frames, until_room=True)

    @contextlib.contextmanager
    def flooding(self, family, port):
        """As long as it lasts 20 forged SYNs come every ten milliseconds."""
        stop = threading.Event()

        def go_on():
            while not stop.is_set():
                self.flood(family, port, 20)
                time.sleep(0.01)
        self.flood(family, port, 60)
        flood = threading.Thread(target=go_on)
        flood.start()
        try:
            yield
        finally:
            stop.set()
            flood.join()

    def cookies(self):
        found = self.guard.status()["cookies"]
        return found["sent"], found["taken"]

    def agreed(self, machine, port):
        """Of the one connection at that port: its options, with the scale of its own and its
        peer's window, as `ss -i` prints them."""
        text = machine.run("ss", "-tnioH", "state", "established",
                           f"( sport = :{port} or dport = :{port} )")
        words = text.split()
        self.assertEqual(text.count("cwnd:"), 1, text)
        scale = re.search(r"wscale:\d+,\d+", text)
        return {"ts": "ts" in words, "sack": "sack" in words, "wscale": scale and scale.group()}
