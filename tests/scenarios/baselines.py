# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Four simple ways to say "memory caused these failures", on the records that memswell had.

Each takes a Stream and returns the pid it blames, or None: "memory is not why". They stand for what
one would write in an afternoon with a metrics store: they see resident memory once a second, limits,
failures of the gateway and exits, but neither signals nor sockets.
  rss_limit    a process above 90 % of its cgroup's limit within 60 s of any failure
  mean_sigma   resident memory around the first failure, in standard deviations from its mean in the first
               third of the time before
  median_iqr   the same by median and interquartile range (as BARO scores its candidates)
  coincidence  any exit, or any growth by a fifth, within 30 s before a failure
"""
import statistics

S = 1_000_000_000
FAILURE_STATUSES = slice(5, 8)  # 502, 503, 504 in a flow record
NEAR_S = 60
THRESHOLD = 3.0


class Stream:
    """What the baselines may look at."""

    def __init__(self, records):
        self.memory = {}    # pid -> [(t, rss, limit)]
        self.failures = []  # t
        self.exits = []     # (t, pid)
        for record in records:
            kind = record["k"]
            if kind == "task":
                rss = sum(record.get(key, 0) for key in ("anon_bytes", "file_bytes", "shmem_bytes"))
                row = record["t"], rss, record.get("memcg_limit_bytes", 0)
                self.memory.setdefault(record["pid"], []).append(row)
            elif kind == "flow" and record.get("role") == "server":
                if sum(record.get("status", [])[FAILURE_STATUSES]):
                    self.failures.append(record["t"])
            elif kind == "exit":
                self.exits.append((record["t"], record["pid"]))


def rss_limit(stream):
    best = None
    for pid, rows in stream.memory.items():
        for t, rss, limit in rows:
            near = any(abs(t - failure) <= NEAR_S * S for failure in stream.failures)
            if limit and near and rss > 0.9 * limit and (not best or rss / limit > best[0]):
                best = rss / limit, pid
    return best and best[1]


def deviation(stream, centre_and_spread):
    """The process whose memory around the first failure is furthest from what it was before."""
    if not stream.failures:
        return None
    onset = min(stream.failures)
    best = THRESHOLD, None
    for pid, rows in stream.memory.items():
        before = [rss for t, rss, _ in rows if t < onset - 10 * S]
        before = before[:max(4, len(before) // 3)]  # when, one hopes, all was well
        around = [rss for t, rss, _ in rows if onset - 10 * S <= t <= onset + NEAR_S * S]
        if len(before) < 4 or not around:
            continue
        centre, spread = centre_and_spread(before)
        best = max(best, ((max(around) - centre) / (spread or 1), pid), key=lambda pair: pair[0])
    return best[1]


def mean_sigma(stream):
    return deviation(stream, lambda rows: (statistics.mean(rows), statistics.pstdev(rows)))


def median_iqr(stream):
    def spread(rows):
        low, middle, high = statistics.quantiles(rows, n=4)
        return middle, high - low
    return deviation(stream, spread)


def coincidence(stream):
    for failure in sorted(stream.failures):
        exits = [(t, pid) for t, pid in stream.exits if 0 <= failure + 2 * S - t <= 32 * S]
        if exits:
            return max(exits)[1]
        for pid, rows in stream.memory.items():
            window = [rss for t, rss, _ in rows if failure - 30 * S <= t <= failure]
            if window and window[-1] > 1.2 * window[0]:
                return pid
    return None


ALL = {"rss_limit": rss_limit, "mean_sigma": mean_sigma, "median_iqr": median_iqr,
       "coincidence": coincidence}
