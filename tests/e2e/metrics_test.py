# SPDX-License-Identifier: Apache-2.0
"""Metrics: as text, over HTTP, as a file, and to a real Prometheus with what is packaged for it."""
import json
import os
import re
import socket
import stat
import subprocess
import sys
import unittest

from harness import HOST, PEER, E2e, both, eventually, rule
from jails_support import jail
from private_prometheus import MISSING, PACKAGED, PLACE, Prometheus, promtool
from slow import patient

ADDRESS = "127.0.0.1:9434"
RULES = (rule("ingress", "web", both(PEER), ports=[80])
         + rule("ingress", "few", both(PEER), ports=[81], limit="1/hour", burst=1)
         + rule("egress", "https", both(PEER), ports=[443]))
FETCH = r"""
import http.client, json, sys
method, host, port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
connection = http.client.HTTPConnection(host, port, timeout=20)
connection.request(method, path, body=b"x" * int(sys.argv[5]) if len(sys.argv) > 5 else None)
answer = connection.getresponse()
print(json.dumps([answer.status, answer.getheader("Content-Type"), answer.read().decode()]))
"""


def samples(text):
    """{line without its value: value}."""
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2])
            for line in text.splitlines() if line and not line.startswith("#")}


class Scraped(E2e):
    def fetch(self, path="/metrics", method="GET", host="127.0.0.1", port=9434, body=None):
        """(status, content type, text)."""
        words = [method, host, str(port), path] + ([] if body is None else [str(body)])
        done = subprocess.run(self.host.command([sys.executable, "-c", FETCH, *words]),
                              capture_output=True, text=True, timeout=patient(30.0), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return tuple(json.loads(done.stdout))


class Metrics(Scraped):
    @classmethod
    def prepare(cls):
        for port in (80, 81):
            cls.here.call("listen", port=port)
        cls.share(RULES, "--metrics-listen", ADDRESS)

    def text(self):
        done = self.guard.call("metrics")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @unittest.skipUnless(PLACE, MISSING)
    def test_promtool_finds_nothing_to_say(self):
        for text in (self.text(), self.fetch()[2]):
            self.assertEqual(promtool("check", "metrics", text=text), (0, ""))

    def test_they_say_what_status_says(self):
        self.assertEqual([self.into(80, 4), self.into(81, 4), self.into(81, 4, timeout=0.3),
                          self.into(7001, 4, timeout=0.3), self.out(7002, 4)][:2], ["open", "open"])
        self.expect_no_event(event="never")

        def agree():
            status, told = self.guard.status(), samples(self.text())
            again = self.guard.status()
            if status["reasons"] != again["reasons"] or status["hooks"] != again["hooks"]:
                return False
            for reason, count in status["reasons"].items():
                self.assertEqual(told[f'sallyport_drops_total{{reason="{reason}"}}'], count)
            for hook in status["hooks"]:
                labels = f'hook="{hook["hook"]}",interface="{hook["iface"] or ""}"'
                self.assertEqual(told[f"sallyport_hook_attached{{{labels}}}"], 1)
                for verdict in ("admitted", "dropped"):
                    name = f'sallyport_hook_packets_total{{{labels},verdict="{verdict}"}}'
                    self.assertEqual(told[name], hook[verdict])
            for one in status["rules"]:
                labels = f'rule="{one["name"]}",direction="{one["direction"]}"'
                for verdict in ("admitted", "limited", "denied"):
                    name = f'sallyport_rule_openings_total{{{labels},verdict="{verdict}"}}'
                    self.assertEqual(told[name], one[verdict])
            self.assertEqual(told["sallyport_policy_generation"], status["generation"])
            self.assertEqual(told['sallyport_state{state="protected"}'], 1)
            self.assertEqual(told['sallyport_state{state="not-protected"}'], 0)
            self.assertGreater(told["sallyport_policy_applied_timestamp_seconds"], 1_700_000_000)
            self.assertEqual(told['sallyport_rule_openings_total{rule="few",direction="ingress",'
                                  'verdict="limited"}'], next(
                                      r["limited"] for r in status["rules"] if r["name"] == "few"))
            return True
        self.assertTrue(eventually(agree))
        told = samples(self.text())
        self.assertGreater(told['sallyport_drops_total{reason="no-rule"}'], 0)
        self.assertGreater(told['sallyport_drops_total{reason="over-limit"}'], 0)
        nic = 'hook="xdp",interface="eth0"'
        self.assertGreater(told[f'sallyport_hook_bytes_total{{{nic},verdict="admitted"}}'], 100)
        self.assertGreater(told[f'sallyport_hook_bytes_total{{{nic},verdict="dropped"}}'], 40)

    def test_who_knocks_adds_no_series(self):
        before = set(samples(self.text()))
        for port in range(7100, 7130):
            self.there.call("udp", dst=HOST[4], port=port, wait=False)
            self.here.call("udp", dst=PEER[4], port=port, wait=False)
        self.expect_no_event(event="never")
        after = set(samples(self.text()))
        self.assertEqual(before, after)
        self.assertFalse([one for one in after if re.search(r'"[0-9.]*\d+\.\d+\.\d+\.\d+|pid=', one)])

    def test_the_socket_and_http_say_the_same(self):
        status, kind, text = self.fetch()
        self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(patient(10.0))
            control.connect(os.path.join(self.guard.environment["SALLYPORT_RUN_DIR"], "control.sock"))
            control.sendall(b'{"cmd":"metrics"}\n')
            with control.makefile() as answers:
                answer = json.loads(answers.readline())
        self.assertTrue(answer["ok"])
        for other in (answer["text"], self.text()):
            self.assertEqual(set(samples(other)), set(samples(text)))

    def test_as_json(self):
        done = self.guard.call("metrics", "--json")
        families = {one["name"]: one for one in json.loads(done.stdout)["metrics"]}
        self.assertEqual(families["sallyport_drops_total"]["type"], "counter")
        self.assertIn({"state": "protected"},
                      [one["labels"] for one in families["sallyport_state"]["samples"]])

    def test_http_gives_nothing_else(self):
        self.assertEqual(self.fetch("/")[0], 404)
        self.assertEqual(self.fetch("/metrics/../metrics")[0], 404)
        self.assertEqual(self.fetch(method="POST", body=100_000)[0], 405)
        self.assertEqual(self.fetch(method="DELETE")[0], 405)
        self.assertEqual(self.fetch("/metrics?x=" + "y" * 60_000)[0] // 100, 4)
        self.assertEqual(self.fetch()[0], 200)

    def test_who_does_not_ask_or_read_holds_nobody_up(self):
        holder = self.lab.start(self.host.command([sys.executable, "-c", (
            "import socket, sys\n"
            "kept = [socket.create_connection(('127.0.0.1', 9434)) for _ in range(14)]\n"
            "for one in kept[:7]: one.sendall(b'GET /metrics HTTP/1.1\\r\\n')\n"
            "for one in kept[7:]: one.sendall(b'\\x00\\xff\\r\\n\\r\\n')\n"
            "print('there', flush=True)\nsys.stdin.read()\n")]),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(holder.stdout.readline(), "there\n")
        self.assertEqual(self.fetch()[0], 200)
        self.assertEqual(self.guard.status()["state"], "protected")
        holder.stdin.close()
        holder.wait(patient(10.0))

    def test_a_file_for_the_node_exporter(self):
        path = os.path.join(self.guard.directory, "sallyport.prom")
        done = self.guard.call("metrics", "--output", path)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(set(samples(file.read())), set(samples(self.text())))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        done = self.guard.call("metrics", "--output", "/nonexistent/sallyport.prom")
        self.assertEqual(done.returncode, 3)
        self.assertIn("/nonexistent", done.stderr)


class Start(Scraped):
    def test_without_a_daemon_the_pins_tell(self):
        self.begin(RULES)
        with_daemon = samples(self.guard.call("metrics").stdout)
        self.guard.kill()
        done = self.guard.call("metrics")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = samples(done.stdout)
        self.assertEqual(told['sallyport_state{state="protected"}'], 1)
        # A daemon knows besides what it keeps itself.
        self.assertLessEqual(set(told), set(with_daemon))
        self.assertEqual(self.guard.down().returncode, 0)
        told = samples(self.guard.call("metrics").stdout)
        self.assertEqual(told['sallyport_state{state="not-protected"}'], 1)

    def test_over_ipv6(self):
        self.begin(RULES, "--metrics-listen", "[::1]:9435")
        self.assertEqual(self.fetch(host="::1", port=9435)[0], 200)

    def test_what_others_could_reach_is_refused(self):
        file = self.guard.write_policy(self.policy(RULES))
        for address in ("0.0.0.0:9434", "[::]:9434", HOST[4] + ":9434", "127.0.0.1", "127.0.0.1:0",
                        "127.0.0.1:99999", ":9434", "::1:9434", "localhost:9434", "[127.0.0.1]:1"):
            done = self.guard.call("run", "-c", file, "--metrics-listen", address)
            self.assertEqual(done.returncode, 2, (address, done.stderr))
            self.assertIn(address, done.stderr)
            self.assertIn("127.0.0.1:9434", done.stderr)

    def test_a_port_that_is_taken_keeps_nobody_from_being_guarded(self):
        self.here.call("listen", port=9434, addresses=("127.0.0.1",))
        self.begin(RULES, "--metrics-listen", ADDRESS)
        self.assertEqual(self.guard.status()["state"], "protected")
        self.assertRegex(self.guard.said(), "nobody can scrape metrics.*127.0.0.1 port 9434")


@unittest.skipUnless(PLACE, MISSING)
class ByPrometheus(Scraped):
    def test_the_alerts_hold_to_their_tests(self):
        rules = os.path.join(PACKAGED, "sallyport.rules.yml")
        self.assertEqual(promtool("check", "rules", rules)[0], 0)
        code, said = promtool("test", "rules", os.path.join(PACKAGED, "sallyport.rules_test.yml"))
        self.assertEqual(code, 0, said)
        # Each alert is in a test, and what it names is there to be scraped.
        with open(rules, encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(PACKAGED, "sallyport.rules_test.yml"), encoding="utf-8") as file:
            tests = file.read()
        for alert in re.findall(r"alert: (\w+)", text):
            self.assertRegex(tests, rf"alertname: {alert}\n.*\n\s+exp_alerts:\n", alert)

    def test_the_dashboard_shows_something_in_each_of_its_panels(self):
        log = os.path.join(self.guard.directory, "service.log")
        with open(log, "w", encoding="utf-8"):
            pass
        rules = RULES + jail(log)
        self.here.call("listen", port=80)
        self.begin(rules, "--metrics-listen", ADDRESS)
        server = Prometheus(self.lab, self.host, os.path.join(self.guard.directory, "prometheus"),
                            ADDRESS)
        self.addCleanup(server.close)
        self.assertTrue(server.wait("up == 1", patient(60.0)), "nothing was scraped")
        with open(os.path.join(PACKAGED, "grafana-dashboard.json"), encoding="utf-8") as file:
            board = json.load(file)
        queries = {target["expr"]: panel["title"] for panel in board["panels"]
                   for target in panel["targets"]}
        queries.update({one["expr"]: "annotation" for one in board["annotations"]["list"]})
        self.switch(rules + rule("ingress", "more", both(PEER), ports=[82]))
        missing = dict(queries)

        def all_answered():
            self.into(80, 4)
            self.into(7005, 4, timeout=0.1)
            self.out(7006, 4)
            for query in list(missing):
                asked = (query.replace("$__rate_interval", "20s")
                         .replace("$instance", ".*"))
                if server.query(asked):
                    del missing[query]
            return not missing
        eventually(all_answered, 60.0)
        self.assertEqual(missing, {})
        # What Prometheus made of the rules that are packaged.
        groups = server.get("rules")["groups"]
        self.assertEqual({(one["name"], one["health"]) for group in groups
                          for one in group["rules"] if one["health"] != "ok"}, set())
        self.assertEqual([a for a in server.get("alerts")["alerts"]
                          if a["labels"]["severity"] == "critical"], [])
        names = {one["__name__"] for one, _ in server.query('{__name__=~"sallyport_.*"}')}
        with open(os.path.join(PACKAGED, "sallyport.rules.yml"), encoding="utf-8") as file:
            named = set(re.findall(r"\bsallyport_\w+", file.read()))
        self.assertEqual(named - names, set())
