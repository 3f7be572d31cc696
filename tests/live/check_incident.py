#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_incident.py - compares memswell's reports of one live run with independent truth.

Truth is what others wrote: nginx's access and error log, the supervisor's wait(2) status, and
the clock. Prints one "ok NAME" or "not ok NAME - why" per check; the exit status says whether
all held. Other software on this machine may have incidents of its own, so only incidents about our
upstream port or our processes count as ours.

  check_incident.py --name NAME --rig DIR --upstream-port PORT --gateway-pid PID [expectations]
"""
import argparse
import collections
import datetime
import json
import os
import re
import sys

# nginx error-log text -> the upstream failure it is. A reset is one event to the kernel; which of
# several texts nginx logs depends on the call that met it. "connect() failed (104" is a connection
# that was established in the accept queue and reset when the listener closed.
ERROR_KINDS = (
    ("connect_refused", re.compile(r"connect\(\) failed \(111:")),
    ("connect_timeout", re.compile(r"upstream timed out \(110:.* while connecting to upstream")),
    ("unreachable", re.compile(r"connect\(\) failed \((101|113):")),
    ("abandoned", re.compile(r"upstream timed out \(110:.* while (reading|sending)")),
    ("rst_before_response", re.compile(
        r"\((104|32): .* while (reading response header from|sending request to|connecting to) upst")),
    ("fin_before_response", re.compile(r"upstream prematurely closed connection while reading response header")),
    ("no_live", re.compile(r"no live upstreams")),
)

# Causal order of timeline kinds: the left one never happens after the right one.
BEFORE = (
    ("growth_onset", "exit"), ("prediction", "exit"),
    ("v8_fatal", "signal"), ("signal", "exit"), ("oom_mark", "exit"),
    ("exit", "listener_down"), ("exit", "first_reset"), ("exit", "first_refused"),
    ("listener_down", "first_refused"),
    ("first_failure", "first_reset"), ("first_failure", "first_refused"),
    ("first_failure", "last_failure"), ("first_refused", "last_failure"),
    ("listener_down", "listener_up"), ("first_refused", "listener_up"),
    ("listener_up", "recovered"), ("first_failure", "recovered"),
)

# Our witnesses are shells and millisecond logs; where lib.sh is told that computing is slow, so are
# they.
CLOCK_SLACK_MS = 400 if int(os.environ.get("MEMSWELL_TEST_SLOWNESS", "1")) > 1 else 100
# A supervisor learns of a death when it gets to run: late on a busy machine, but never before it.
SUPERVISOR_LATE_MS = 1000


class Mismatch(Exception):
    pass


def require(condition, text):
    if not condition:
        raise Mismatch(text)


def require_equal(what, got, wanted, tolerance=0.0):
    require(got is not None and abs(got - wanted) <= tolerance * wanted,
            f"{what}: memswell says {got}, truth is {wanted}")


def epoch_ms(rfc3339):
    """Milliseconds since the epoch of an RFC 3339 UTC time with up to nanoseconds."""
    whole, _, fraction = rfc3339.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S")
    seconds = moment.replace(tzinfo=datetime.timezone.utc).timestamp()
    return seconds * 1000 + float("0." + (fraction or "0")) * 1000


class Truth:
    """What the witnesses wrote."""

    def __init__(self, rig):
        self.statuses = collections.Counter()
        self.failure_times_ms = []
        with open(os.path.join(rig, "nginx/access.log"), encoding="utf-8") as file:
            for line in file:
                msec, status = line.split(" ", 2)[:2]
                self.statuses[int(status)] += 1
                if int(status) in (502, 503, 504):
                    self.failure_times_ms.append(float(msec) * 1000)
        self.upstream = collections.Counter()
        self.unknown_errors = []
        with open(os.path.join(rig, "nginx/error.log"), encoding="utf-8") as file:
            for line in file:
                kind = next((name for name, text in ERROR_KINDS if text.search(line)), None)
                if kind:
                    self.upstream[kind] += 1
                else:
                    self.unknown_errors.append(line.strip())
        self.lives = []
        try:
            with open(os.path.join(rig, "service.lives"), encoding="utf-8") as file:
                rows = [line.split() for line in file]
        except FileNotFoundError:
            rows = []
        for row in rows:
            if row[0] == "start":
                self.lives.append({"pid": int(row[1]), "start_ms": int(row[2])})
            else:
                self.lives[-1].update(status=int(row[2]), end_ms=int(row[3]))

    def death(self):
        return next(life for life in self.lives if "status" in life)


class Run:
    """memswell's reports, and what is ours in them."""

    def __init__(self, options):
        self.options = options
        self.truth = Truth(options.rig)
        with open(os.path.join(options.rig, "reports.jsonl"), encoding="utf-8") as file:
            self.reports = [json.loads(line) for line in file]
        mine = [r for r in self.of_schema("incident") if self.is_mine(r)]
        self.incidents = mine
        self.last = mine[-1] if mine else None

    def of_schema(self, name):
        return [r for r in self.reports if r["schema"] == "memswell." + name]

    def is_mine(self, report):
        impact = report.get("impact") or {}
        culprit = (report.get("process") or {}).get("process.pid")
        gateway = (impact.get("proxy") or {}).get("process.pid")
        return (impact.get("network.peer.port") == self.options.upstream_port
                or gateway == self.options.gateway_pid
                or culprit is not None and culprit == self.options.culprit)

    def final(self):
        require(self.last is not None, "no incident of ours")
        return self.last

    def moments(self):
        return {m["kind"]: m for m in reversed(self.final()["timeline"])}


def check_one_incident(run):
    blamed = {r["impact"]["proxy"]["process.pid"] for r in run.incidents if r["impact"]["proxy"]}
    require(blamed == {run.options.gateway_pid}, f"gateways in the incidents: {blamed}")
    ids = {r["id"] for r in run.incidents}
    require(len(ids) == 1, f"{len(ids)} incident ids about our upstream")


def check_lifecycle(run):
    words = [r["record"] for r in run.incidents]
    require(words and words[0] == "open", f"records are {words}")
    require(words.count("open") == 1, f"records are {words}")
    if run.options.closed:
        require(words[-1] == "close", f"records are {words}")
    revisions = [r["revision"] for r in run.incidents]
    require(revisions == sorted(set(revisions)), f"revisions are {revisions}")


def check_verdict(run):
    verdict = run.final()["verdict"]
    got = verdict["class"], verdict.get("cause") or ""
    wanted = [(run.options.verdict, cause) for cause in run.options.cause.split(",")]
    require(got in wanted, f"{got[0]}/{got[1]} ({verdict.get('confidence')}), expected {wanted}")


def check_every_verdict(run):
    """The first open may know less, but no revision may claim another class."""
    allowed = {run.options.verdict, "unexplained"}
    classes = [r["verdict"]["class"] for r in run.incidents]
    require(set(classes) <= allowed, f"classes over the revisions: {classes}")


def check_culprit(run):
    process = run.final().get("process") or {}
    require_equal("culprit pid", process.get("process.pid"), run.options.culprit)


def check_no_culprit(run):
    process = run.final().get("process")
    require(not process or not process.get("exit"), f"blames a death: {process}")


def check_exit(run):
    found = run.final()["process"]["exit"]
    death = run.truth.death()
    require_equal("exit code", found["process.exit.code"], run.options.exit or death["status"])
    exits = [r for r in run.of_schema("process_exit")
             if r["process"]["process.pid"] == run.options.culprit]
    require(len(exits) == 1, f"{len(exits)} process exit reports of the culprit")


def check_death_details(run):
    found = run.final()["process"]["exit"]
    for pair in run.options.detail:
        key, _, text = pair.partition("=")
        wanted = json.loads(text)
        require(found.get(key) == wanted, f"{key} is {found.get(key)!r}, expected {wanted!r}")


def check_oom_report(run):
    kills = [r for r in run.of_schema("oom_kill")
             if r["process"]["process.pid"] == run.options.culprit]
    require_equal("OOM kill reports", len(kills), run.options.oom_kills)


def check_client_counts(run):
    found = run.final()["impact"]["client_responses"]
    for status in (502, 503, 504):
        require_equal(f"client responses {status}", found.get(str(status), 0),
                      run.truth.statuses[status], 0.001)


def check_upstream_counts(run):
    unknown = run.truth.unknown_errors
    require(not unknown, f"error log line of unknown kind: {unknown[:1]}")
    found = run.final()["impact"]["upstream_failures"]
    for kind in ("connect_refused", "connect_timeout", "rst_before_response",
                 "fin_before_response", "unreachable"):
        require_equal(f"upstream {kind}", found.get(kind, 0), run.truth.upstream[kind])


def check_causal_order(run):
    timeline = run.final()["timeline"]
    offsets = [m["offset_ms"] for m in timeline]
    require(offsets == sorted(offsets), f"offsets are not in time order: {offsets}")
    at = {kind: m["offset_ms"] for kind, m in run.moments().items()}
    for kind in run.options.moment:
        require(kind in at, f"no {kind} in the timeline, only {sorted(at)}")
    for first, then in BEFORE:
        if first in at and then in at:
            require(at[first] <= at[then],
                    f"{first} at {at[first]} ms after {then} at {at[then]} ms")


def check_times(run):
    """Wall clock of the chain against the supervisor and the access log."""
    wall = {kind: epoch_ms(m["t"]) for kind, m in run.moments().items()}
    pairs = []
    if run.options.exit is not None or run.truth.lives:
        if "exit" in wall:
            pairs.append(("exit", wall["exit"], run.truth.death()["end_ms"], SUPERVISOR_LATE_MS))
    failures = run.truth.failure_times_ms
    if "first_failure" in wall and failures:
        pairs.append(("first failure", wall["first_failure"], min(failures), 0))
        pairs.append(("last failure", wall["last_failure"], max(failures), 0))
    slack = run.options.clock_slack_ms
    for what, got, wanted, late in pairs:
        require(-max(slack, late) <= got - wanted <= slack, f"{what}: {got - wanted:+.0f} ms from truth")


def check_not_early(run):
    """Nothing may be claimed before it happened."""
    if run.truth.failure_times_ms:
        first = min(run.truth.failure_times_ms)
    else:
        first = float("inf")
    early = [r for r in run.incidents if epoch_ms(r["timestamp"]) < first - CLOCK_SLACK_MS]
    require(not early, f"{len(early)} incident records before the first failure")


def check_prompt(run):
    require(run.incidents, "no incident")
    delay = epoch_ms(run.incidents[0]["timestamp"]) - min(run.truth.failure_times_ms)
    require(delay <= run.options.open_within_ms, f"opened {delay:.0f} ms after the first failure")


def check_losses(run):
    beats = run.of_schema("heartbeat")
    require(beats, "no heartbeat")
    # As heartbeat.c has it: one call not added to a process's counters is no event (the kernel's task
    # storage was busy), and the owner of a socket is looked for with each of its first segments.
    losses = [entry for entry in beats[-1]["losses"]
              if entry["count"] and entry["stream"] != "task_storage"
              and (entry["stream"], entry["reason"]) != ("program", "socket_recv_owner")]
    require(not losses, f"losses: {losses}")
    if run.last:
        require_equal("events_lost", run.last["data_quality"]["events_lost"], 0)


def check_seq(run):
    found = [r["seq"] for r in run.reports]
    require(found == list(range(found[0], found[0] + len(found))), "seq has gaps")


def check_no_incident(run):
    require(not run.incidents, f"{len(run.incidents)} incident records: "
            f"{[r['verdict']['class'] for r in run.incidents]}")


def check_no_growth(run):
    alarms = [r for r in run.of_schema("growth")
              if r["process"]["process.pid"] == run.options.culprit]
    require(not alarms, f"{len(alarms)} growth reports of a process that does not grow")


def check_growth(run):
    growth = [r for r in run.of_schema("growth")
              if r["process"]["process.pid"] == run.options.culprit]
    require(growth, "no growth report of the leaking process")
    late = epoch_ms(growth[0]["timestamp"]) >= run.truth.death()["end_ms"]
    require(not late, "growth was reported only after the death")


def plan(options):
    """Which checks this scenario needs, in the order they are printed."""
    yield "no output line is missing", check_seq
    if options.losses:
        yield "nothing was lost", check_losses
    if options.no_incident:
        yield "no incident", check_no_incident
        return
    yield "exactly one incident", check_one_incident
    yield "opens once, revisions rise", check_lifecycle
    yield f"opens within {options.open_within_ms} ms", check_prompt
    yield "nothing is claimed before the first failure", check_not_early
    yield "verdict", check_verdict
    yield "no revision claims another class", check_every_verdict
    yield "client responses equal the access log", check_client_counts
    yield "upstream failures equal the error log", check_upstream_counts
    yield "timeline is in causal order", check_causal_order
    yield "timeline agrees with other clocks", check_times
    if options.culprit:
        yield "culprit pid", check_culprit
        yield "exit status", check_exit
    else:
        yield "nobody's death is blamed", check_no_culprit
    if options.detail:
        yield "how it died", check_death_details
    if options.oom_kills is not None:
        yield "OOM kills", check_oom_report
    if options.growth == "yes":
        yield "growth was reported before the death", check_growth
    if options.growth == "no":
        yield "no growth is claimed", check_no_growth


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--rig", required=True)
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--gateway-pid", type=int, required=True)
    parser.add_argument("--no-incident", action="store_true")
    parser.add_argument("--verdict", help="class of the last revision")
    parser.add_argument("--cause", default="", help="allowed causes, with commas")
    parser.add_argument("--culprit", type=int, help="pid that died")
    parser.add_argument("--exit", type=int, help="its exit status, if not the supervisor's")
    parser.add_argument("--detail", action="append", default=[], help="KEY=JSON in process.exit")
    parser.add_argument("--moment", action="append", default=[], help="kind the timeline must have")
    parser.add_argument("--oom-kills", type=int, help="kills the cgroup counted")
    parser.add_argument("--growth", choices=("yes", "no"))
    parser.add_argument("--open-within-ms", type=float, default=1500)
    parser.add_argument("--clock-slack-ms", type=float, default=CLOCK_SLACK_MS,
                        help="how late the shell that writes the truth may be")
    parser.add_argument("--closed", action="store_true", help="the last record must be a close")
    parser.add_argument("--losses", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main():
    options = arguments()
    run = Run(options)
    failed = False
    for name, check in plan(options):
        try:
            check(run)
            print(f"ok {options.name}: {name}")
        except Mismatch as mismatch:
            failed = True
            print(f"not ok {options.name}: {name} - {mismatch}")
        except (KeyError, TypeError, IndexError, StopIteration) as error:
            failed = True
            print(f"not ok {options.name}: {name} - a report lacks {error!r}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
