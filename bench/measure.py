"""wrk over one row of a table: what came of it, and what it cost.

Shared by the commands of this folder.
"""
import json
import os
import platform
import resource
import subprocess
import time
from collections import Counter

from instance import TOP, Reader, expect

WRK_THREADS = 2
PARTS = ("programs", "nginx", "MariaDB", "Redis")
QUIET = 0.05            # of the machine, for all else that runs


def sign_up(site, port, names):
    readers = []
    for name in names:
        site.seoga("user", "add", name, "--password-stdin",
                   text=f"{name}-of-seoga\n")
        reader = Reader(port, name)
        reader.sign_in()
        readers.append(reader)
    return readers


# --- one row --------------------------------------------------------------

def wrk(url, connections, seconds, *, script="requests.lua", headers=(),
        env=()):
    """What the script's done() says."""
    command = ["wrk", f"-t{WRK_THREADS}", f"-c{connections}",
               f"-d{seconds}s", "--timeout", "10s",
               "-s", str(TOP / "bench" / script)]
    for name, value in dict(headers).items():
        command += ["-H", f"{name}: {value}"]
    command += [url, "--", f"{os.getpid()}-{time.monotonic_ns()}",
                str(WRK_THREADS)]
    done = subprocess.run(
        command, env={**os.environ, "BENCH": str(TOP / "bench"), **dict(env)},
        capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"wrk failed: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(site, name, status, connections, run):
    """The row of what run() lets wrk do; status is the one expected."""
    log = AccessLog(site)
    machine_before, wrk_before = busy_s(), children_s()
    before = site.cpu_ns()
    got = run()
    after = site.cpu_ns()
    others = busy_s() - machine_before - (children_s() - wrk_before) \
        - sum(after[part] - before[part] for part in PARTS) / 1e9
    n = max(got["requests"], 1)
    row = {"name": name, "connections": connections,
           "requests": got["requests"],
           "per_s": got["requests"] * 1e6 / got["us"],
           "p50_us": got["p50"], "p99_us": got["p99"],
           "p99_by_p50": got["p99"] / max(got["p50"], 1),
           "errors": log.wrong(status, connections)
           + sum(got[kind] for kind in
                 ("connect", "read", "write", "timeout"))}
    row["cpu_us"] = {part: (after[part] - before[part]) / 1e3 / n
                     for part in PARTS}
    row["cpu_us"]["all"] = sum(row["cpu_us"].values())
    row["others"] = max(0, others * 1e6 / got["us"] / os.cpu_count())
    return row


def busy_s():
    """Seconds of CPU that the whole machine has had."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, *irq = map(int, stat.readline().split()[1:9])
    return (user + nice + system + sum(irq)) / os.sysconf("SC_CLK_TCK")


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class AccessLog:
    """What nginx answered since: it sees every status at no cost to wrk."""

    def __init__(self, site):
        self.path = site.folder / "log" / "access.log"
        time.sleep(1.1)         # nginx writes at least once a second
        self.start = self.path.stat().st_size

    def wrong(self, status, connections):
        """How many answers had another status.  At the end wrk hangs up on
        what is under way: that is status 499, once for each connection at
        most."""
        time.sleep(1.1)
        with open(self.path, "rb") as log:
            log.seek(self.start)
            statuses = Counter(
                json.loads(line)["status"] for line in log)
        statuses[status] = 0
        statuses[499] = max(0, statuses[499] - connections)
        return sum(statuses.values())


# --- the table ------------------------------------------------------------

def aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [("  ".join([row[0].ljust(widths[0])] + [
        cell.rjust(width) for cell, width in zip(row[1:], widths[1:])
    ])).rstrip() for row in rows]


def others_lines(result):
    """Others take caches and turns on the CPU: figures may rise."""
    share = max(row["others"] for row in result["rows"])
    if share <= QUIET:
        return []
    return [f"NOT QUIET: others had up to {share:.0%} of the machine "
            "meanwhile, so the figures", "may be too high; compare them only "
            "with the floor of this run.", ""]


def machine():
    model = next((line.partition(":")[2].strip() for line in
                  open("/proc/cpuinfo", encoding="ascii", errors="replace")
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}"
