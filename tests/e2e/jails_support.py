# SPDX-License-Identifier: Apache-2.0
"""What the tests of jails share: a service's log, and a jail that reads it."""
import os
import time

from bans_support import BanE2e

FAILS = "Invalid API key from {}"
HOUR = 3600


def jail(log, *lines, name="api", match=FAILS.format("<HOST>"), ban_time="1h"):
    return (f'[[jail]]\nname = "{name}"\nlog = "{log}"\nmatch = ["{match}"]\n'
            f'max-retry = 3\nfind-time = "10m"\nban-time = "{ban_time}"\n'
            + "".join(f"{line}\n" for line in lines))


class JailE2e(BanE2e):
    def begin(self, *arguments, **options):  # pylint: disable=arguments-differ
        """A subtest's log is not the next one's."""
        keep = options.pop("keep_logs", False)
        if not keep:
            self.forget_logs()
        super().begin(*arguments, **options)

    def log(self, name="service.log"):
        return os.path.join(self.guard.directory, name)

    @staticmethod
    def stamp(ago=0.0):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - ago))

    def write(self, *sources, file="service.log", ago=0.0):
        with open(self.log(file), "a", encoding="utf-8") as out:
            for source in sources:
                out.write(f"{self.stamp(ago)} {FAILS.format(source)}\n")

    def forget_logs(self):
        for name in os.listdir(self.guard.directory):
            if name.startswith("service.log"):
                os.unlink(self.log(name))

    def jail_state(self, name="api"):
        return next(j for j in self.guard.status()["jails"] if j["name"] == name)

    def wait_jail(self, name="api", **facts):
        def there():
            state = self.jail_state(name)
            return all(state[key] == value for key, value in facts.items())
        self.guard.wait_status(lambda _: there())
        self.assertTrue(there(), f"not {facts}: {self.jail_state(name)}")

    def wait_banned(self, *networks):
        """All of them and no others, by jail "api"."""
        wanted = sorted(networks)
        self.guard.wait_status(lambda s: s["bans"]["active"] == len(wanted))
        listed = self.bans()
        self.assertEqual(sorted(listed), wanted)
        self.assertEqual({b["origin"] for b in listed.values()}, {"jail:api"} if wanted else set())
