# SPDX-License-Identifier: Apache-2.0
"""audit: every listening socket, whose it is, and who can reach it."""
import json
import os
import re
import subprocess
import time
import unittest

from audit_support import SERVICES, end, seen_by_audit, seen_by_ss, serve
from harness import HOST, E2e, eventually, rule
from slow import patient

ZONES = ('[zones]\nadmin = ["10.1.0.2", "fd00:1::2"]\nlan = ["10.0.0.0/8", "fd00::/8"]\n')
RULES = rule("ingress", "ollama", "lan", ports=[11434]) + rule("ingress", "ssh", "admin", ports=[22])
KEYS = {"wall", "policy", "services", "namespaces", "nat", "nat_notes", "unseen", "findings",
        "listeners"}


class Audited(E2e):
    SECOND_NIC = False

    @classmethod
    def audit(cls, *words, **options):
        return cls.guard.call("audit", "--services", SERVICES, *words, **options)

    @classmethod
    def report(cls, *words):
        done = cls.audit("--json", *words)
        if done.returncode not in (0, 1):
            raise AssertionError(f"exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    @classmethod
    def policy_file(cls, rules=RULES, name="audit.toml", **options):
        return cls.guard.write_policy(cls.policy(rules, zones=ZONES, **options), name)

    def one(self, report, port, proto="tcp", namespace="host"):
        found = [o for o in report["listeners"]
                 if (o["port"], o["proto"], o["namespace"]) == (port, proto, namespace)]
        self.assertEqual(len(found), 1, (port, proto, found))
        return found[0]


class Listening(Audited):
    @classmethod
    def prepare(cls):
        unit = cls.lab.cgroup.child("system.slice/ollama.service")
        cls.ollama = serve(cls.lab, cls.host, [("tcp", "::", 11434, {"dual": True})], "ollama",
                           cgroup=unit)
        cls.redis = serve(cls.lab, cls.host, [("tcp", "127.0.0.1", 6379), ("tcp", "::1", 6379)],
                          "redis-server")
        cls.notebook = os.path.join(cls.lab.directory, "jupyter-lab")
        os.symlink(os.path.join(cls.lab.directory, "serve.py"), cls.notebook)
        cls.jupyter = serve(cls.lab, cls.host, [("tcp", HOST[4], 8888)], before=[cls.notebook])
        cls.others = serve(cls.lab, cls.host, [
            ("tcp", "0.0.0.0", 7001), ("tcp", "::", 7002), ("tcp", HOST[6], 7003),
            ("tcp", "0.0.0.0", 7004, {"idle": True}), ("tcp", "0.0.0.0", 7005, {"device": "eth0"}),
            ("tcp", "::ffff:10.1.0.1", 7006, {"dual": True}),
            ("udp", "0.0.0.0", 7001), ("udp", "::", 7002, {"dual": True}), ("udp", "127.0.0.1", 7003),
            ("udp", "0.0.0.0", 7004, {"connect": "10.1.0.2"}),
            ("tcp", "0.0.0.0", 7010, {"reuse": True}), ("tcp", "0.0.0.0", 7010, {"reuse": True}),
            ("raw", "0.0.0.0", 0)])
        cls.box = cls.lab.host("box")
        cls.lab.cable(cls.host, "veth1", cls.box, "eth0")
        cls.host.address("veth1", "10.9.0.1/24")
        cls.box.address("eth0", "10.9.0.2/24")
        cls.boxed = serve(cls.lab, cls.box, [("tcp", "0.0.0.0", 8000), ("tcp", "127.0.0.1", 8001)],
                          before=["-c", "import sys; sys.argv[:] = sys.argv; exec(open(sys.argv[1]).read())",
                                  os.path.join(cls.lab.directory, "serve.py")])

    def test_it_sees_what_ss_sees_no_less_and_no_more(self):
        report = self.report()
        wanted, their_pids = seen_by_ss(self.host, "-t", "-u")
        got, our_pids = seen_by_audit(report)
        got = {key: n for key, n in got.items() if key[0] in ("tcp", "udp")}
        self.assertEqual(got, dict(wanted))
        self.assertGreater(len(wanted), 12)
        for key, pids in their_pids.items():
            self.assertEqual(our_pids[key], pids, key)
        raw = [o for o in report["listeners"] if o["proto"] == "raw" and o["namespace"] == "host"]
        self.assertEqual([o["raw_protocol"] for o in raw], [1])
        self.assertEqual(len(self.host.run("ss", "-H", "-lnw").splitlines()), 1)

    def test_in_another_namespace_too(self):
        report = self.report()
        inode = os.stat(self.box.netns_file).st_ino
        wanted, their_pids = seen_by_ss(self.box, "-t", "-u")
        got, our_pids = seen_by_audit(report, inode)
        self.assertEqual(dict(got), dict(wanted))
        self.assertEqual({k: v for k, v in our_pids.items()}, dict(their_pids))
        self.assertIn(inode, [n["netns"] for n in report["namespaces"]])
        own = self.report("--own-namespace")
        self.assertEqual({o["namespace"] for o in own["listeners"]}, {"host"})

    def test_a_socket_has_its_process_user_unit_and_service(self):
        one = self.one(self.report(), 11434)
        self.assertEqual((one["family"], one["user"], one["uid"]), ("dual", "root", 0))
        self.assertEqual(os.path.basename(one["exe"]), "ollama")
        self.assertTrue(one["cgroup"].endswith("/system.slice/ollama.service"))
        self.assertEqual(one["service"]["name"], "ollama")
        self.assertEqual(self.one(self.report(), 8888)["service"]["name"], "jupyter")
        self.assertEqual(self.one(self.report(), 7005)["interface"], "eth0")
        self.assertIsNone(self.one(self.report(), 7001)["service"])

    def test_a_socket_has_its_unit_and_container_as_rules_see_them(self):
        container = "0123456789abcdef" * 4
        boxed = serve(self.lab, self.host, [("tcp", "0.0.0.0", 7020)],
                      cgroup=self.lab.cgroup.child(f"system.slice/docker-{container}.scope"))
        nested = serve(self.lab, self.host, [("tcp", "0.0.0.0", 7021)],
                       cgroup=self.lab.cgroup.child("system.slice/foo.service/docker-1.scope"))
        report = self.report("-c", self.policy_file())
        self.addCleanup(end, boxed)
        self.addCleanup(end, nested)
        one = self.one(report, 7020)
        self.assertEqual((one["container"], one["unit"]), (container, f"docker-{container}.scope"))
        self.assertEqual([one["pids"], one["pid"]], [[boxed.pid], boxed.pid])
        one = self.one(report, 7021)
        self.assertEqual((one["container"], one["unit"]), (None, "foo.service"))
        self.assertEqual(self.one(report, 11434)["unit"], "ollama.service")
        text = self.audit("-c", self.policy_file()).stdout
        self.assertRegex(text, rf"(?m)^.* 0\.0\.0\.0:7020 .* container {container[:12]} ")
        self.assertRegex(text, r"(?m)^.* 0\.0\.0\.0:7021 .* foo\.service ")

    def test_under_a_policy_each_has_its_zones(self):
        report = self.report("-c", self.policy_file(interfaces=("eth0", "veth1")))
        self.assertEqual(report["wall"], "assumed")
        ollama = self.one(report, 11434)
        self.assertEqual((ollama["state"], ollama["rules"]), ("open", ["ollama"]))
        self.assertEqual({w["interface"]: w["from"] for w in ollama["reach"]},
                         {"eth0": ["admin", "lan"], "veth1": ["admin", "lan"]})
        for port in (7001, 7002, 7003, 7005, 7006, 8888):
            self.assertEqual((self.one(report, port)["state"], self.one(report, port)["reach"]),
                             ("shut", []), port)
        states = {o["state"] for o in report["listeners"] if o["port"] == 6379}
        self.assertEqual(states, {"loopback"})
        self.assertEqual(self.one(report, 7003, "udp")["state"], "loopback")

    def test_exit_codes(self):
        everywhere = self.policy_file(interfaces=("eth0", "veth1"))
        done = self.audit("--own-namespace", "-c", everywhere)
        self.assertEqual(done.returncode, 0, done.stdout)
        # 7001 is on the network, and only the wall keeps it in.
        strict = self.audit("--own-namespace", "--strict", "-c", everywhere)
        self.assertEqual((strict.returncode, strict.stdout), (1, done.stdout))
        # veth1 is not guarded, and nothing declares 7001.
        done = self.audit("--own-namespace", "-c", self.policy_file(name="eth0.toml"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("any by veth1 (not guarded)", done.stdout)
        observing = self.policy_file(interfaces=("eth0", "veth1"), mode="observe", name="o.toml")
        self.assertEqual(self.audit("--own-namespace", "-c", observing).returncode, 1)
        self.assertEqual(self.audit("-c", "/nonexistent/policy.toml").returncode, 2)
        bad = self.guard.write_policy("schema = 1\n[flaws]\n", "bad.toml")
        done = self.audit("-c", bad)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("bad.toml:2", done.stderr)
        self.assertEqual(self.guard.call("audit", "--services", "/nonexistent").returncode, 2)
        self.assertEqual(self.audit("--watch", "--suggest").returncode, 2)

    def test_without_a_wall_everything_that_listens_is_reachable(self):
        report = self.report("--own-namespace")
        self.assertEqual(report["wall"], "none")
        exposed = {(o["proto"], o["port"]) for o in report["listeners"] if o["state"] == "exposed"}
        self.assertEqual(exposed, {("tcp", 11434), ("tcp", 8888), ("tcp", 7001), ("tcp", 7002),
                                   ("tcp", 7003), ("tcp", 7005), ("tcp", 7006), ("tcp", 7010),
                                   ("udp", 7001), ("udp", 7002)})
        self.assertEqual(report["findings"], len(exposed))
        self.assertEqual(set(report), KEYS)
        first = report["listeners"][0]
        self.assertEqual((first["port"], first["danger"]), (8888, "critical"))

    def test_what_a_port_is_published_as(self):
        self.host.run("nft", "table ip audit {\nchain pre { type nat hook prerouting priority dstnat; "
                      'iifname "eth0" tcp dport 8080 dnat to 10.9.0.2:8000; }\n}')
        self.addCleanup(self.host.run, "nft", "delete table ip audit")
        inode = os.stat(self.box.netns_file).st_ino

        def boxed(report):
            return next(o for o in report["listeners"] if o["netns"] == inode and o["port"] == 8000)
        report = self.report("-c", self.policy_file())
        self.assertEqual((report["nat"], report["nat_notes"]), ("known", []))
        one = boxed(report)
        self.assertEqual((one["state"], one["published"][0]["low"]), ("shut", 8080))
        opened = RULES + rule("ingress", "web", "admin", ports=[8080])
        one = boxed(self.report("-c", self.policy_file(opened, "web.toml")))
        self.assertEqual((one["state"], one["rules"]), ("open", ["web"]))
        self.assertEqual([(w["how"], w["port"], w["from"]) for w in one["reach"]],
                         [("published", 8080, ["admin"])])
        self.assertEqual(boxed(self.report())["state"], "exposed")

    def test_what_is_suggested_passes_the_check(self):
        environment = {**self.guard.environment, "SSH_CONNECTION": "10.1.0.2 50000 10.1.0.1 22"}
        done = subprocess.run(self.guard.command("audit", "--services", SERVICES, "--suggest"),
                              capture_output=True, text=True, timeout=patient(30.0),
                              env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        file = self.guard.write_policy(done.stdout, "suggested.toml")
        checked = self.guard.call("check", file)
        self.assertEqual(checked.returncode, 0, checked.stderr + done.stdout)
        self.assertIn('admin = ["10.1.0.2"]', done.stdout)
        enforced = self.guard.write_policy(done.stdout.replace('"observe"', '"enforce"'), "e.toml")
        report = self.report("--own-namespace", "-c", enforced)
        # veth1 leads to a container: it is named, and not guarded.
        self.assertIn("Not guarded, what comes in there is admitted: veth1", done.stdout)
        ways = {(o["port"], w["interface"], *w["from"]) for o in report["listeners"]
                for w in o["reach"] if w["interface"] != "veth1"}
        self.assertEqual(ways, {(11434, "eth0", "admin", "lan"), (8888, "eth0", "admin")})

    def test_hostile_names_reach_no_terminal(self):
        hostile = serve(self.lab, self.host, [("tcp", "0.0.0.0", 7099)], "evil\x1b]0;x\x07\n[[ingress]]",
                        comm="\x1b[2J\nok\x9b")
        self.addCleanup(end, hostile)
        for words in ((), ("--suggest",)):
            done = subprocess.run(self.guard.command("audit", "--services", SERVICES, *words),
                                  capture_output=True, timeout=patient(30.0),
                                  env=self.guard.environment, check=False)
            text = done.stdout.decode()
            self.assertIn("7099", text)
            self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), text)
            self.assertIn(r"\x1b[2J\x0aok", text)
        file = self.guard.write_policy(text, "hostile.toml")
        self.assertEqual(self.guard.call("check", file).returncode, 0)
        one = self.one(self.report(), 7099)
        self.assertIn("\n[[ingress]]", one["exe"])

    def test_a_newcomer_is_told_and_what_was_there_is_not(self):
        for form in ("json", "text"):
            words = ("--watch", "--own-namespace") + (("--json",) if form == "json" else ())
            process = self.lab.start(self.guard.command("audit", "--services", SERVICES, *words),
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                     env=self.guard.environment)
            self.assertTrue(any("watching" in line for line in iter(process.stderr.readline, "")))
            newcomer = serve(self.lab, self.host, [("tcp", "0.0.0.0", 7090)], "ollama")
            time.sleep(1.0)
            end(newcomer)
            line = process.stdout.readline()
            process.terminate()
            rest, _ = process.communicate(timeout=patient(20.0))
            self.assertEqual((process.returncode, rest), (0, ""))
            if form == "text":
                self.assertIn("new tcp 0.0.0.0:7090 Ollama", line)
                continue
            event = json.loads(line)
            self.assertEqual((event["event"], event["port"], event["state"], event["v"]),
                             ("listener", 7090, "exposed", 1))
            self.assertEqual(event["service"]["name"], "ollama")

    def test_who_is_not_root_is_told_what_he_does_not_see(self):
        done = subprocess.run(self.host.command(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", self.guard.binary,
             "audit", "--json", "--services", SERVICES]), capture_output=True, text=True,
            timeout=patient(30.0), env=self.guard.environment, check=False)
        if "Permission denied" in done.stderr and not done.stdout:
            self.skipTest("the binary is out of nobody's reach")
        report = json.loads(done.stdout)
        self.assertTrue(report["unseen"])
        self.assertTrue(any(o["port"] == 11434 for o in report["listeners"]))


class Standing(Audited):
    """Without -c it is the wall that counts."""

    @classmethod
    def prepare(cls):
        for port in (11434, 7001):
            cls.here.call("listen", port=port, addresses=("::",), dual=True)

    def test_by_the_wall_that_stands(self):
        self.begin(RULES, zones=ZONES)
        done = self.audit("--own-namespace")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = self.report("--own-namespace")
        self.assertEqual((report["wall"], report["policy"]["file"], report["policy"]["changed"]),
                         ("standing", self.file, False))
        self.assertEqual(self.one(report, 7001)["state"], "shut")
        # What the audit says is so.
        self.assertEqual(self.into(11434, 4), "open")
        self.assertEqual(self.into(7001, 4), "timeout")
        # A file that says otherwise by now opens nothing: what was applied decides.
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(RULES + rule("ingress", "more", "any", ports=[7001]), zones=ZONES))
        report = self.report("--own-namespace")
        self.assertTrue(report["policy"]["changed"])
        self.assertEqual(self.one(report, 7001)["state"], "shut")
        os.unlink(self.file)
        self.assertEqual(self.one(self.report("--own-namespace"), 7001)["state"], "shut")
        self.guard.stop()  # the wall stands without its daemon
        self.assertEqual(self.report("--own-namespace")["wall"], "standing")
        self.guard.down()
        self.assertTrue(eventually(lambda: self.report("--own-namespace")["wall"] == "none"))
        self.assertEqual(self.audit("--own-namespace").returncode, 1)

    def test_a_wall_that_observes_shuts_nothing(self):
        self.begin(RULES, zones=ZONES, mode="observe")
        report = self.report("--own-namespace")
        self.assertEqual(report["wall"], "observing")
        self.assertEqual(self.one(report, 7001)["state"], "exposed")
        self.assertEqual(self.into(7001, 4), "open")


if __name__ == "__main__":
    unittest.main()
