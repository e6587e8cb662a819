# SPDX-License-Identifier: Apache-2.0
"""drift: bans that bite no more, though their entries may be there. Each of the ways in which
root can take one back behind the daemon's back is found and named."""
import ipaddress
import os
import struct
import unittest

from drift_test import RULES, Drift, key_of
from harness import HOST, eventually

WORDS = 1 << 64
NEVER, OVER = struct.pack("=Q", 1), struct.pack("=Q", 2)
LEVELS = {4: ((24, 6), (16, 5), (8, 3)), 6: ((48, 4), (32, 2), (16, 1))}  # of abi/ban.h
CHUNK_BITS = 512
LISTED, SPARED = "192.0.2.0/24", "192.0.2.9/32"


def level_of(network):
    net = ipaddress.ip_network(network)
    return next(each for each in LEVELS[net.version] if net.prefixlen >= each[0])


def bit_of(network):
    """sp_v6_bit() of abi/lines.h, for a prefix that is no shorter than the shortest level."""
    net = ipaddress.ip_network(network)
    keep, level = level_of(network)
    first48 = int(net.network_address) << 16 if net.version == 4 else int(net.network_address) >> 80
    first48 &= (1 << 48) - (1 << (48 - keep))
    x = (first48 << 3 | level) * 0x9e3779b97f4a7c15 % WORDS
    x ^= x >> 32
    return (x * 0xd6e8feb86659fd93 % WORDS) >> 40


class BansTaken(Drift):
    """One wall; each test leaves it as it was."""
    SHARED = True

    @classmethod
    def prepare(cls):
        cls.start()

    def update(self, name, key, value):
        self.bpftool("map", "update", "pinned", self.pin("maps", name), "key", *map(str, key),
                     "value", *map(str, value))

    def delete(self, name, network):
        self.bpftool("map", "delete", "pinned", self.pin("maps", name), "key",
                     *map(str, key_of(network)))

    def ban(self, *networks):
        for network in networks:
            self.assertEqual(self.guard.call("ban", network, "--for", "1h").returncode, 0)
            self.addCleanup(self.guard.call, "unban", network)
        self.assert_none("after bans by hand")

    def found_in(self, *maps):
        """The details of each of these maps, which are all that is found."""
        found = {one["about"]: one["details"] for one in self.drift().get("map", [])}
        self.assertEqual(set(found), set(maps))
        return [found[name] for name in maps]

    def assert_written_anew(self):
        self.guard.stop()
        self.guard.start(self.file)
        self.assert_none("when a daemon has taken them over")

    def test_a_bit_that_was_cleared_is_named_with_the_ban_that_it_stood_for(self):
        banned = ("198.51.100.0/25", "203.0.0.0/16", "2001:db8:7::7", "2001:db8::/32")
        self.ban(*banned)
        for network in banned:
            self.update("sp_ban_bits", struct.pack("=I", bit_of(network) // CHUNK_BITS), bytes(64))
            details, = self.found_in("sp_ban_bits")
            self.assertEqual(details, [f"missing: 1 of the bits of {network}"])
            self.assert_written_anew()

    def test_levels_that_were_cleared_are_named(self):
        self.ban("198.51.100.7", "2001:db8:7::/48")
        self.update("sp_ban_state", bytes(4), bytes(8))
        details, = self.found_in("sp_ban_state")
        self.assertEqual([d.split(",")[0] for d in sorted(details)],
                         ["missing: level 4", "missing: level 6"])
        self.assertIn("198.51.100.7 is not found", " ".join(details))
        self.assert_written_anew()

    def test_bits_and_levels_that_no_ban_asks_for_are_counted(self):
        self.update("sp_ban_bits", struct.pack("=I", 5), b"\xff" * 64)
        self.update("sp_ban_state", bytes(4), struct.pack("=II", 1 << 3, 0))
        bits, state = self.found_in("sp_ban_bits", "sp_ban_state")
        self.assertEqual(bits, ["too many: 512 bits that no ban asks for"])
        self.assertEqual(state, ["too many: level 3"])
        self.assert_written_anew()

    def test_an_entry_that_lets_in_a_part_of_what_is_banned_is_named(self):
        self.ban("203.0.113.0/24", "2001:db8:7::/48")
        for name, network, value, what in (
                ("sp_bans4", "203.0.113.64/26", NEVER, "never banned"),
                ("sp_bans4", "203.0.113.64/26", OVER, "over"),
                ("sp_bans6", "2001:db8:7:1::/64", NEVER, "never banned")):
            self.update(name, key_of(network), value)
            details, = self.found_in("bans")
            around = "203.0.113.0/24" if name == "sp_bans4" else "2001:db8:7::/48"
            self.assertEqual(details,
                             [f"too many: {network}, {what}: it lets in what {around} bans"])
            self.delete(name, network)
            self.assert_none("when it is gone")
        # Outside of any ban it bans nobody and hides none.
        self.update("sp_bans4", key_of("198.18.0.0/15"), NEVER)
        self.found_in()
        self.delete("sp_bans4", "198.18.0.0/15")

    def test_what_a_list_names_and_what_is_never_banned_are_looked_for(self):
        blocked = os.path.join(self.guard.directory, "blocked.netset")
        with open(blocked, "w", encoding="utf-8") as file:
            file.write(f"{LISTED}\n2001:db8:9::/48\n{HOST[4]}\n10.1.0.0/24\n127.0.0.0/8\n")
        zones = (f'[zones]\nblocked = {{ file = "{blocked}" }}\nspared = ["{SPARED}"]\n'
                 '[bans]\nlists = ["blocked"]\nnever = ["spared"]\n')
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.policy(RULES, zones=zones))
        self.addCleanup(self.assert_clean_again)
        self.addCleanup(self.guard.write_policy, self.policy(RULES), "policy.toml")
        self.assert_clean_again()
        self.delete("sp_bans4", LISTED)
        self.delete("sp_bans6", "2001:db8:9::/48")
        details, = self.found_in("bans")
        self.assertEqual(sorted(details), [f"missing: {LISTED}, which a list names",
                                           "missing: 2001:db8:9::/48, which a list names"])
        self.assert_written_anew()
        self.delete("sp_bans4", SPARED)
        details, = self.found_in("bans")
        self.assertEqual(details, ["missing: 192.0.2.9, which [bans] never names"])
        self.assert_written_anew()
        with open(blocked, "a", encoding="utf-8") as file:
            file.write("198.18.7.0/24\n")
        self.assertTrue(eventually(lambda: not self.drift()), self.drift())
        # A list that cannot be read now goes on banning whom it named.
        with open(blocked, "a", encoding="utf-8") as file:
            file.write("nonsense\n")
        self.assertEqual(set(self.drift()), {"file"})
        self.assertIn("what a list named before stays banned", self.guard.call("drift").stderr)
        with open(blocked, "w", encoding="utf-8") as file:
            file.write(f"{LISTED}\n")
        self.assertTrue(eventually(lambda: not self.drift()), self.drift())


if __name__ == "__main__":
    unittest.main()
