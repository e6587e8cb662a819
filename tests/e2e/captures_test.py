# SPDX-License-Identifier: Apache-2.0
"""tail --pcap and --since: packets of events, read back by tshark."""
import json
import os
import shutil
import signal
import stat
import subprocess
import unittest

import packets
from harness import FAMILIES, HOST, PEER, E2e, both, each_family, eventually, rule
from slow import patient

FIELDS = ("frame.interface_name", "frame.packet_flags_direction", "frame.verdict.ebpf_xdp",
          "frame.verdict.ebpf_tc", "frame.comment", "frame.len", "frame.cap_len", "ip.dst",
          "ipv6.dst", "tcp.dstport", "udp.dstport", "frame.encap_type")
ETHERNET, RAW_IP = "1", "7"  # wiretap's numbers


@unittest.skipUnless(shutil.which("tshark"), "there is no tshark")
class Captures(E2e):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.share(rule("ingress", "web", both(PEER), ports=[80])
                  + rule("egress", "out", both(PEER), ports=[443]))

    def setUp(self):
        self.path = os.path.join(self.guard.directory, self.id().rsplit(".", 1)[-1] + ".pcapng")
        if os.path.exists(self.path):
            os.unlink(self.path)

    def take(self, *arguments, **options):
        done = self.guard.call("tail", *arguments, timeout=patient(30), **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def read(self, path=None):
        """Of each packet what tshark says, by field."""
        command = ["tshark", "-n", "-r", path or self.path, "-T", "json"]
        for field in FIELDS:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=patient(60))
        self.assertEqual(done.returncode, 0, done.stderr)
        return [{key: value[0] for key, value in packet["_source"]["layers"].items()}
                for packet in json.loads(done.stdout)]

    def syn(self, family, port, payload=b""):
        return self.frame(packets.ip(PEER[family], HOST[family], packets.TCP,
                                     packets.tcp(PEER[family], HOST[family], 4711, port) + payload))

    def seen(self, port, path=None):
        return [p for p in self.read(path)
                if str(port) in (p.get("tcp.dstport"), p.get("udp.dstport"))]

    def caught(self, port, *arguments):
        """Of those packets what the file has, once it has them."""
        self.assertTrue(eventually(lambda: self.has_event(port)))
        self.take("--pcap", self.path, "--since", "1h", "--port", str(port), "--count", "1",
                  *arguments)
        found = self.seen(port)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def has_event(self, port):
        """Does the past hold an event of that port? Its packet is there by then, or soon."""
        return self.guard.events(dst_port=port)

    @each_family
    def test_what_arrived_is_read_back_with_its_verdict(self, family):
        port = 7100 + family
        self.send(self.syn(family, port))
        packet = self.caught(port)
        self.assertEqual(packet["frame.interface_name"], "eth0")
        self.assertEqual(packet["frame.encap_type"], ETHERNET)
        self.assertEqual(int(packet["frame.packet_flags_direction"], 0), 1)
        self.assertEqual(int(packet["frame.verdict.ebpf_xdp"], 0), 1)  # XDP_DROP
        self.assertNotIn("frame.verdict.ebpf_tc", packet)
        self.assertTrue(packet["frame.comment"].startswith("drop no-rule; xdp"), packet)
        self.assertEqual(packet["ipv6.dst" if family == 6 else "ip.dst"], HOST[family])

    @each_family
    def test_what_tried_to_leave_names_its_process(self, family):
        port = 7200 + family
        self.out(port, family, op="udp")
        # A refused connect has no packet; one that is on its way when the rule goes has.
        event = self.expect_event(direction="egress", dst_port=port)
        if event["hook"] not in ("cgroup", "tc"):
            self.skipTest(f"refused before there was a packet, at {event['hook']}")
        packet = self.caught(port)
        self.assertEqual(int(packet["frame.packet_flags_direction"], 0), 2)
        self.assertIn(f"pid {event['pid']} ", packet["frame.comment"])

    def test_a_raw_socket_is_caught_on_its_way_out(self):
        port = 7300
        packet = packets.ip(HOST[4], PEER[4], packets.UDP,
                            packets.udp(HOST[4], PEER[4], 4711, port, b"secret"))
        script = ("import socket,sys\n"
                  "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,socket.IPPROTO_RAW)\n"
                  "try: s.sendto(bytes.fromhex(sys.argv[1]),(sys.argv[2],0))\n"
                  "except PermissionError: pass\n")
        self.host.run("python3", "-c", script, packet.hex(), PEER[4],
                      cgroup=self.lab.cgroup.child("user.slice/raw.service"))
        event = self.expect_event(direction="egress", dst_port=port)
        found = self.caught(port)
        self.assertEqual(found["frame.encap_type"], RAW_IP)
        self.assertEqual(int(found["frame.packet_flags_direction"], 0), 2)
        self.assertEqual(int(found["frame.verdict.ebpf_tc"], 0), 2)  # TC_ACT_SHOT
        self.assertIn(f"{event['hook']}; pid {event['pid']} ", found["frame.comment"])
        self.assertIn("unit raw.service", found["frame.comment"])

    def test_a_long_packet_is_cut_and_says_how_long_it_was(self):
        port = 7400
        self.send(self.syn(4, port, payload=bytes(1000)))
        packet = self.caught(port)
        self.assertEqual(int(packet["frame.cap_len"]), 256)
        self.assertEqual(int(packet["frame.len"]), 14 + 20 + 20 + 1000)

    def test_every_packet_is_there_where_events_are_folded(self):
        port = 7500
        self.send(*[self.syn(4, port)] * 5)
        self.assertTrue(eventually(lambda: self.has_event(port)))
        self.take("--pcap", self.path, "--since", "1h", "--port", str(port), "--count", "5")
        self.assertEqual(len(self.seen(port)), 5)

    def test_a_pipe_gets_packets_as_they_come(self):
        port = 7600
        command = self.guard.command("tail", "--pcap", "-", "--port", str(port), "--count", "2")
        with open(self.path, "wb") as file:
            process = self.lab.start(command, stdout=file, env=self.guard.environment)
        self.assertTrue(eventually(lambda: os.path.getsize(self.path) > 0))  # its head
        self.send(self.syn(4, port), self.syn(6, port))
        self.assertEqual(process.wait(timeout=patient(20)), 0)
        self.assertEqual(len(self.seen(port)), 2)

    def test_since_shows_events_of_before(self):
        port = 7700
        self.send(self.syn(6, port))
        self.expect_event(dst_port=port)
        done = self.take("--json", "--since", "1h", "--port", str(port), "--count", "1")
        self.assertEqual(json.loads(done.stdout)["dst_port"], port)

    def test_explain_reads_it(self):
        port = 7800
        for family in FAMILIES:
            self.send(self.syn(family, port))
        self.assertTrue(eventually(lambda: len(self.has_event(port)) == 2))
        self.take("--pcap", self.path, "--since", "1h", "--port", str(port), "--count", "2")
        done = self.guard.call("explain", "in", "on", "eth0", "--pcap", self.path, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout.count("reason: no-rule"), 2, done.stdout)

    def test_the_file_is_its_owners_alone_and_no_link_leads_elsewhere(self):
        self.send(self.syn(4, 7900))
        self.caught(7900)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        victim, link = self.path + ".victim", self.path + ".link"
        with open(victim, "w", encoding="ascii") as file:
            file.write("kept")
        os.symlink(victim, link)
        done = self.guard.call("tail", "--pcap", link, "--count", "1", timeout=patient(20))
        self.assertNotEqual(done.returncode, 0)
        with open(victim, encoding="ascii") as file:
            self.assertEqual(file.read(), "kept")

    def test_interrupted_it_leaves_a_whole_file(self):
        port = 8000
        process = self.lab.start(self.guard.command("tail", "--pcap", self.path, "--port",
                                                    str(port)), env=self.guard.environment)
        self.assertTrue(eventually(lambda: os.path.exists(self.path)
                                   and os.path.getsize(self.path) > 0))
        self.send(self.syn(4, port))
        self.assertTrue(eventually(lambda: self.seen(port)))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=patient(20)), 0)
        self.assertEqual(len(self.seen(port)), 1)


if __name__ == "__main__":
    unittest.main()
