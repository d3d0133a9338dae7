# SPDX-License-Identifier: Apache-2.0
"""Memory, descriptors and threads of the server over time, and whether they grow."""
import os
import re
import statistics
import threading
import time

SAMPLE_SECONDS = 1
# A sample is the least of so many: what calls, connections and compilations hold for a moment is no growth, what they leave behind is.
WINDOW_SAMPLES = 5
# Pools, caches and arenas of the allocator fill in this part of the run, and at least for this long.
WARM_UP_SHARE, WARM_UP_SECONDS_MIN = 0.25, 15

# Between the first and the last third of what follows the warm-up. The engine's pool takes about a hundred places for instances before it uses one again, and each keeps up
# to 256 KiB of what its guests touched: 2 to 7 MiB in runs of five to ten minutes. A leak of 16 bytes for each request would make 20 MiB in 15 minutes.
MEMORY_GROWTH_MIB_MAX = 16
# Connections to upstreams follow the load: each client of the soak may have brought one more.
DESCRIPTOR_GROWTH_MAX = 48
# The server starts all its threads before it listens, but for those that follow the first call of a module, which is in the warm-up.
THREAD_GROWTH_MAX = 0


def proportional_mib(pid):
    return memory_mib(pid, "Pss")


def written_mib(pid):
    """What the process wrote and shares with nobody. PSS falls by half the program's size while a child of the same program compiles a module."""
    return memory_mib(pid, "Private_Dirty")


def memory_mib(pid, kind):
    return int(re.search(rf"^{kind}:\s+(\d+)", open(f"/proc/{pid}/smaps_rollup").read(), re.M)[1]) / 1024


def resident_mib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M)[1]) / 1024


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def children(pid):
    return sum(len(open(f"/proc/{pid}/task/{task}/children").read().split()) for task in os.listdir(f"/proc/{pid}/task"))


class Watch(threading.Thread):
    """Takes a sample every second until it is told to stop, or the process is gone."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.began, self.samples, self.over = pid, time.monotonic(), [], threading.Event()

    def sample(self):
        return {"second": round(time.monotonic() - self.began, 1), "written_mib": round(written_mib(self.pid), 2), "pss_mib": round(proportional_mib(self.pid), 2), "rss_mib": round(resident_mib(self.pid), 2),
                "descriptors": descriptors(self.pid), "threads": threads(self.pid)}

    def run(self):
        while not self.over.wait(SAMPLE_SECONDS):
            try:
                self.samples.append(self.sample())
            except OSError:
                return

    def stop(self):
        self.over.set()
        self.join()

    def growth(self, key):
        """(from, to): medians of the windows' least values, of the first and the last third after the warm-up. None when the run was too short."""
        if not self.samples:
            return None
        whole = self.samples[-1]["second"]
        warm = [sample[key] for sample in self.samples if sample["second"] >= max(WARM_UP_SHARE * whole, WARM_UP_SECONDS_MIN)]
        floors = [min(warm[start:start + WINDOW_SAMPLES]) for start in range(0, len(warm) - WINDOW_SAMPLES + 1, WINDOW_SAMPLES)]
        third = len(floors) // 3
        return (statistics.median(floors[:third]), statistics.median(floors[-third:])) if third else None

    def verdicts(self):
        """(name, whether it holds, figures) of each bound."""
        for name, key, unit, most in (("memory is flat", "written_mib", " MiB", MEMORY_GROWTH_MIB_MAX), ("descriptors are flat", "descriptors", "", DESCRIPTOR_GROWTH_MAX),
                                      ("threads are flat", "threads", "", THREAD_GROWTH_MAX)):
            growth = self.growth(key)
            if growth is None:
                yield name, False, "the run was too short to tell: 45 seconds are the least"
                continue
            first, last = growth
            peak = max(sample[key] for sample in self.samples)
            yield name, last - first <= most, f"{first:.1f}{unit} to {last:.1f}{unit} after the warm-up, at most {most}{unit} more; peak {peak:.1f}{unit}"
