# SPDX-License-Identifier: Apache-2.0
"""Connections that a test holds, and rules that count them."""
import functools

from harness import HOST, E2e, each_family, eventually, rule


def counted(name, port, most, lines=""):
    return (rule("ingress", name, ["10.0.0.0/8", "fd00::/8"], ports=[port])
            + f"max-connections = {most}\n{lines}\n")


def afresh(test):
    """Once for each family, and none finds a connection of the one before."""
    @each_family
    @functools.wraps(test)
    def run(self, family):
        try:
            test(self, family)
        finally:
            self.let_all_go()
    return run


class Connecting(E2e):
    """Connections that a test holds are let go of at its end."""

    def setUp(self):
        self.held = []

    def tearDown(self):
        self.let_all_go()
        super().tearDown()

    def let_all_go(self):
        while self.held:
            self.let_go("abort")
        self.assertTrue(eventually(lambda: self.established("8000-8010") == 0))

    def keep(self, result):
        if "handle" in result:
            self.held.append(result["handle"])
        return result["result"]

    def hold(self, port, family, **arguments):
        return self.keep(self.there.call("hold", dst=arguments.pop("dst", HOST[family]), port=port,
                                         timeout=0.5, **arguments))

    def let_go(self, how="release"):
        self.there.call(how, handle=self.held.pop(0))

    def opens_at_last(self, port, family, **arguments):
        return eventually(lambda: self.hold(port, family, **arguments) == "open")

    def established(self, port):
        return self.counted_in("established", port)

    def counted_in(self, state, port):
        first, _, last = str(port).partition("-")
        return len(self.host.run("ss", "-Htn", "state", state,
                                 f"( sport >= :{first} and sport <= :{last or first} )").splitlines())

    def refused(self):
        return self.guard.status()["reasons"].get("too-many-connections", 0)
