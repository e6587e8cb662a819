# SPDX-License-Identifier: Apache-2.0
"""The package in a clean root: installed, used, upgraded, removed, purged."""
import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import threading
import time
import unittest

import package
from clean_root import HOST, Machine
from slow import patient

PINS = "/sys/fs/bpf/sallyport"
KEPT = "/var/lib/sallyport/removed"
LEFT = (PINS, "/run/sallyport", "/var/lib/sallyport", "/var/log/sallyport", "/etc/sallyport",
        "/usr/sbin/sallyport", "/usr/share/sallyport")
SHUT = 1.5  # seconds without an answer


class Lifecycle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(package.base(), package.directory("roots"))

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def setUp(self):
        self.daemon = None
        self.install(package.first())

    def tearDown(self):
        self.stop()
        self.machine.run("dpkg", "--purge", "sallyport")
        self.machine.beside("rm", "-rf", self.machine.path(PINS))

    def dpkg(self, *arguments, status=0):
        done = self.machine.run("dpkg", "--force-unsafe-io", *arguments)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode == 0, status == 0, said)
        return said

    def install(self, deb):
        copy = self.machine.path("/tmp/sallyport.deb")
        with open(deb, "rb") as source, open(copy, "wb") as target:
            target.write(source.read())
        return self.dpkg("--install", "/tmp/sallyport.deb")

    def start(self):
        self.daemon = self.machine.start("sallyport", "run", stderr=subprocess.DEVNULL)
        until = time.monotonic() + patient(60)
        while self.status()["state"] == "not-protected" or not os.path.exists(
                self.machine.path("/run/sallyport/control.sock")):
            self.assertIsNone(self.daemon.poll(), "the daemon ended")
            self.assertLess(time.monotonic(), until, "the daemon is not ready")
            time.sleep(0.05)

    def stop(self):
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(patient(30))
        self.daemon = None

    def command(self, *arguments, status=0):
        done = self.machine.run("sallyport", *arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def status(self):
        return json.loads(self.machine.run("sallyport", "status", "--json").stdout)

    def edit(self):
        file = self.machine.path("/etc/sallyport/policy.toml")
        with open(file, encoding="utf-8") as policy:
            text = policy.read()
        with open(file, "w", encoding="utf-8") as policy:
            policy.write(text.replace('mode = "observe"', 'mode = "enforce"'))

    def enforce(self):
        """As an administrator does: the file is edited, and put in force."""
        self.edit()
        self.start()
        self.assertEqual(self.status()["state"], "protected")

    def assert_ports(self, ssh, web):
        for port, expected in ((22, ssh), (80, web)):
            found = self.machine.ports(port, patience=SHUT if expected == "shut" else patient(20))
            self.assertEqual(found, {f"{host} {port}": expected for host in HOST})

    @contextlib.contextmanager
    def knocking(self, port):
        """What the peer finds at that port meanwhile, again and again."""
        found, done = [], threading.Event()

        def knock():
            while not done.is_set():
                found.append(self.machine.ports(port, patience=0.3))

        knocker = threading.Thread(target=knock)
        knocker.start()
        try:
            yield found
        finally:
            done.set()
            knocker.join()

    def links(self, names="*"):
        """Ids of the links that are pinned, as bpftool has them."""
        directory = self.machine.path(PINS)
        files = self.machine.beside("find", directory, "-path", "*/links/" + names, "-type",
                                    "f").split()
        ids = [json.loads(self.machine.beside("bpftool", "-j", "link", "show", "pinned", f))["id"]
               for f in files]
        return set(ids)

    def standing(self, ids):
        return ids & {link["id"] for link in json.loads(self.machine.beside("bpftool", "-j", "link"))}

    def assert_no_hook(self, ids):
        self.assertTrue(ids)
        self.assertEqual(self.standing(ids), set())
        self.assertNotIn("xdp", self.machine.beside("ip", "-d", "link", "show", "dev", "eth0"))
        attached = self.machine.beside("bpftool", "cgroup", "show", self.machine.path("/sys/fs/cgroup"))
        self.assertNotIn("sp_", attached)

    def assert_nothing_left(self):
        for place in LEFT:
            self.assertEqual(self.machine.run("ls", "-d", place).returncode, 2, f"{place} is left")
        named = self.machine.run("find", "/", "-xdev", "-name", "*sallyport*").stdout.split()
        self.assertEqual([n for n in named if n != "/tmp/sallyport.deb"], [])
        listed = self.machine.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "sallyport").stdout
        self.assertIn(listed, ("", "not-installed"))

    def hide_libraries(self):
        """As an autoremove does."""
        place = self.machine.path("/usr/lib/" + platform.machine() + "-linux-gnu/")
        hidden = [n for n in os.listdir(place) if n.startswith(("libbpf.so", "libspdlog.so"))]
        self.assertTrue(hidden)
        for name in hidden:
            os.rename(place + name, place + "hidden-" + name)
            self.addCleanup(os.rename, place + "hidden-" + name, place + name)

    def hold(self, file):
        """A descriptor of that pin, held by a process that is none of Sallyport's."""
        code = ("import ctypes, struct, sys, time\n"
                "name = ctypes.create_string_buffer(sys.argv[2].encode())\n"
                "word = ctypes.create_string_buffer(struct.pack('QIIi', ctypes.addressof(name), 0, 0, 0))\n"
                "held = ctypes.CDLL(None).syscall(int(sys.argv[1]), 7, word, len(word.raw) - 1)\n"
                "print('ready' if held >= 0 else 'refused', flush=True)\n"
                "time.sleep(1200)")
        number = {"x86_64": "321"}.get(platform.machine(), "280")
        holder = self.machine.start_beside("/usr/bin/python3", "-c", code, number, file)
        self.assertEqual(holder.stdout.readline(), "ready\n")
        return holder

    def test_it_installs_beside_nothing_but_what_it_depends_on_and_observes(self):
        version = self.command("--version").split()[-1]
        self.assertEqual(version, package.version())
        self.command("check", "/etc/sallyport/policy.toml")
        self.assertIn("sallyport", self.machine.run("getent", "group", "sallyport").stdout)
        self.start()
        state = self.status()
        self.assertEqual((state["state"], state["mode"]), ("observing", "observe"))
        self.assert_ports("open", "open")
        until = time.monotonic() + patient(10)
        log = self.machine.path("/var/log/sallyport/events.jsonl")
        while not any(e["event"] == "would-drop" and e.get("dst_port") == 80
                      for e in map(json.loads, open(log, encoding="utf-8"))):
            self.assertLess(time.monotonic(), until, "nothing was told of port 80")
            time.sleep(0.1)
        done = self.machine.run("sallyport", "audit", "--own-namespace")
        self.assertNotIn("no catalogue", done.stderr)

    def test_what_a_unit_or_rule_of_the_package_starts_is_there(self):
        for line in package.started():
            self.assertTrue(os.access(self.machine.path(line), os.X_OK), line)
        self.assertIn("/usr/sbin/sallyport", package.started())
        for unit in package.enabled():
            wants = self.machine.run("find", "/etc/systemd/system", "-type", "l", "-name", unit)
            self.assertNotEqual(wants.stdout, "", f"{unit} is not enabled")

    def asked(self, name, *words, status=0, without=()):
        """What that script of the package asks of systemd, where a root has one: here it is
        told to a file."""
        self.machine.run("mkdir", "-p", "/run/systemd/system", "/opt/told")
        for tool in ("systemctl", "deb-systemd-invoke", "deb-systemd-helper", "udevadm"):
            with open(self.machine.path(f"/opt/told/{tool}"), "w", encoding="utf-8") as stub:
                stub.write(f'#!/bin/sh\necho "{tool} $*" >>/opt/told/all\n')
            os.chmod(stub.name, 0o755)
        for tool in without:  # fails, as on a full disk
            with open(self.machine.path(f"/opt/told/{tool}"), "w", encoding="utf-8") as stub:
                stub.write("#!/bin/sh\nexit 1\n")
            os.chmod(stub.name, 0o755)
        with open(self.machine.path(f"/var/lib/dpkg/info/sallyport.{name}"), encoding="utf-8") as file:
            script = re.sub(r'^units=".*"$', 'units="sallyport.service sallyport-review.timer"',
                            file.read(), flags=re.M)
        done = self.machine.run("sh", "-c", f"PATH=/opt/told:$PATH; {script}", "sh", *words)
        told = self.machine.run("sh", "-c", "cat /opt/told/all || true").stdout
        self.machine.run("rm", "-r", "/run/systemd", "/opt/told")
        self.assertEqual(done.returncode == 0, status == 0, done.stderr)
        return [line for line in told.splitlines() if line.startswith("deb-systemd-invoke")]

    def test_neither_installation_nor_upgrade_nor_their_failure_shuts_a_door(self):
        start, restart, timer = ("deb-systemd-invoke " + words for words in (
            "start sallyport.service", "restart sallyport.service", "start sallyport-review.timer"))
        for words, asked in ((("configure", ""), start), (("configure", "0.0.9"), restart),
                             (("abort-remove",), start), (("abort-upgrade", "0.0.9"), start)):
            self.assertEqual(self.asked("postinst", *words), [asked, timer], words)
        self.edit()
        with open(self.machine.path("/etc/sallyport/policy.toml"), "a", encoding="utf-8") as policy:
            policy.write('\n[[ingress]]\nname = "observe"\nfrom = "any"\nproto = "tcp"\nports = [22]\n')
        for words in (("configure", ""), ("configure", "0.0.9"), ("abort-remove",)):
            self.assertEqual(self.asked("postinst", *words), [timer], words)
        self.start()  # a wall that stands is adopted, whatever the file says
        for words, asked in ((("configure", ""), start), (("configure", "0.0.9"), restart),
                             (("abort-remove",), start)):
            self.assertEqual(self.asked("postinst", *words), [asked, timer], words)

    def test_a_removal_that_cannot_keep_what_takes_the_wall_down_stops_nothing(self):
        self.enforce()
        self.assertEqual(self.asked("prerm", "remove", status=1, without=["cp"]), [])
        stop = ["deb-systemd-invoke stop " + unit for unit in ("sallyport.service", "sallyport-review.timer")]
        self.assertEqual(self.asked("prerm", "remove"), stop)

    def test_an_upgrade_keeps_the_policy_and_the_wall_that_enforces(self):
        self.enforce()
        self.assert_ports("open", "shut")
        # Some links take no other program, and are replaced.
        before, links = self.status(), self.links("xdp-*")
        with self.knocking(80) as found:
            self.install(package.second())
            self.assertEqual(self.standing(links), links)
            self.assertEqual(self.status()["policy"], before["policy"])
            self.stop()
            self.start()
        self.assertGreater(len(found), 3)
        self.assertEqual({word for once in found for word in once.values()}, {"shut"})
        after = self.status()
        self.assertEqual(self.links("xdp-*"), links)
        self.assertEqual((after["generation"], after["mode"], after["policy"]["sha256"]),
                         (before["generation"], "enforce", before["policy"]["sha256"]))
        self.assert_ports("open", "shut")

    def test_a_removal_leaves_a_wall_that_enforces_and_a_purge_takes_it_down(self):
        self.enforce()
        links = self.links()
        self.stop()
        said = self.dpkg("--remove", "sallyport")
        self.assertIn("the wall still stands", said)
        self.assert_ports("open", "shut")
        self.assertEqual(self.standing(links), links)
        self.assertFalse(os.path.exists(self.machine.path("/usr/sbin/sallyport")))
        self.hide_libraries()
        self.dpkg("--purge", "sallyport")
        self.assert_no_hook(links)
        self.assert_nothing_left()
        self.assert_ports("open", "open")

    def test_a_removal_ends_a_wall_that_observes(self):
        self.start()
        links = self.links()
        self.stop()
        self.assertNotIn("still stands", self.dpkg("--remove", "sallyport"))
        self.assert_no_hook(links)
        self.assertFalse(os.path.exists(self.machine.path(KEPT)))

    def test_a_removed_package_that_is_installed_again_takes_up_its_wall(self):
        self.enforce()
        links = self.links("xdp-*")
        self.stop()
        self.dpkg("--remove", "sallyport")
        self.install(package.first())
        self.assertFalse(os.path.exists(self.machine.path(KEPT)))
        self.start()
        self.assertEqual((self.links("xdp-*"), self.status()["state"]), (links, "protected"))

    def test_a_purge_that_cannot_take_the_wall_down_fails_and_says_what_is_left(self):
        self.enforce()
        links = self.links()
        self.stop()
        self.dpkg("--remove", "sallyport")
        self.machine.run("rm", "-r", KEPT)
        self.assertIn(PINS + "/v", self.dpkg("--purge", "sallyport", status=1))
        self.assertEqual(self.standing(links), links)
        self.assert_ports("open", "shut")
        self.install(package.first())
        self.dpkg("--purge", "sallyport")
        self.assert_no_hook(links)
        self.assert_nothing_left()

    def test_down_says_which_link_the_kernel_still_has(self):
        self.start()
        links = self.links()
        files = self.machine.beside("find", self.machine.path(PINS), "-name", "xdp-*",
                                    "-path", "*/links/*").split()
        holder = self.hold(files[0])
        self.stop()
        done = self.machine.run("sallyport", "down", "--verify")
        self.assertEqual(done.returncode, 3, done.stderr)
        held = self.standing(links)
        self.assertEqual(len(held), 1)
        self.assertIn(f"link {held.pop()} (", done.stderr)
        holder.kill()
        holder.wait(30)
        self.command("down", "--verify")
