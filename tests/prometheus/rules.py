#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What the recording rules and alerts say of made-up nodes, asked of promtool. One case is one story:
series of some nodes, and at some times the rows of the verdict and the alerts that fire. A case that
expects no row and no alert is as much of a case.

usage: rules.py [PATTERN]     prints "ok"/"not ok" lines
"""
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(TOP, "deploy", "prometheus", "memswell.rules.yml")
STEP_S = 5          # of scrapes and rules
LAST_S = 1800       # no case is longer
FOREVER = LAST_S + STEP_S
WAY = {"gateway": "ingress", "upstream": "10.1.0.7:3000"}
POD = {"service_name": "shop/api", "k8s_namespace_name": "shop", "k8s_pod_name": "api-1",
       "k8s_container_name": "api"}
OTHER_POD = {"service_name": "ops/mail", "k8s_namespace_name": "ops", "k8s_pod_name": "mail-9",
             "k8s_container_name": "mail"}


def series(name, labels, *pieces):
    """pieces: (from_s, to_s, value) or (from_s, to_s, function of the time); between them: nothing."""
    values = []
    for t in range(0, LAST_S + 1, STEP_S):
        value = None
        for begin, end, what in pieces:
            if begin <= t < end:
                value = what(t) if callable(what) else what
        values.append(value)
    text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
    return f"{name}{{{text}}}", values


def failing(instance, first, last, way=WAY, seen=None, until=FOREVER, burst=True, **more):
    """A gateway whose way fails from `first` to `last`; scraped from `seen` on."""
    labels = {"instance": instance, **way, **more}
    begin = -(-first // STEP_S) * STEP_S if seen is None else seen
    name = "memswell_gateway_upstream_"
    result = [
        series(name + "first_failure_timestamp_seconds", labels, (begin, until, first)),
        series(name + "last_failure_timestamp_seconds", labels,
               (begin, until, lambda t: min(max(t, first), last))),
        series(name + "requests_total", labels, (0, until, lambda t: 10 * t)),
        series(name + "failures_total", {**labels, "kind": "connect_refused"},
               (0, until, lambda t: 10 * max(0, min(t, last) - first))),
    ]
    if burst:
        result.append(series("memswell_gateway_burst_open", labels,
                             (0, until, lambda t: int(first <= t <= last + 10))))
    return result


def listener(instance, who, start, up_until=FOREVER, address="10.1.0.7:3000", netns="1", until=FOREVER,
             scope="global", **more):
    """Who listens from `start` on, and is scraped until `until`."""
    labels = {"instance": instance, "address": address, "netns": netns, **more}
    return [
        series("memswell_listener_start_time_seconds", labels, (start, until, start)),
        series("memswell_listener_up", labels, (start, until, lambda t: int(t < up_until))),
        series("memswell_listener_info",
               {**labels, **who, "scope": scope, "listener": "0.0.0.0:3000"}, (start, until, 1)),
    ]


def death(instance, who, at, kind="oom_kill_cgroup", address="10.1.0.7:3000", netns="1", until=FOREVER,
          **more):
    labels = {"instance": instance, "address": address, "netns": netns, "kind": kind, **who, **more}
    return [series("memswell_listener_last_death_timestamp_seconds", labels, (at, until, at))]


def incident(instance, begin, end, verdict, cause="", service="shop/api", way=WAY):
    labels = {"instance": instance, **way, "class": verdict, "cause": cause, "service_name": service}
    return [series("memswell_service_incident_open", labels, (begin, end, 1))]


def victim(who=POD, kind="oom_kill_cgroup", node="b", verdict="memory_death", gateway="a", way=WAY):
    return {"instance": gateway, **way, "class": verdict, "cause": kind, "evidence": "join",
            "victim_instance": node, **who}


def unknown(reason, gateway="a", way=WAY):
    return {"instance": gateway, **way, "class": "unexplained", "evidence": "none",
            "service_name": "unknown", "reason": reason}


def local(verdict, cause="", service="shop/api", gateway="a", way=WAY):
    row = {"instance": gateway, **way, "class": verdict, "cause": cause, "evidence": "node",
           "service_name": service}
    return {k: v for k, v in row.items() if v != ""}


DEATH = "MemswellMemoryDeathBehindGateway"
UNEXPLAINED = "MemswellFailuresUnexplained"

# name: (series, {time: (rows of the verdict, alerts that fire)}). None: not looked at.
CASES = {
    # ---- the join ----
    "a death on another node explains the failures": (
        failing("a", 120, 150) + listener("b", POD, 10, up_until=119) + death("b", POD, 119),
        {115: ([], []), 125: ([victim()], [DEATH]), 300: ([victim()], [DEATH]), 500: ([], [])}),
    "and on the same node": (
        failing("a", 120, 150) + listener("a", POD, 10, up_until=119) + death("a", POD, 119),
        {125: ([victim(node="a")], [DEATH])}),
    "a runtime that gave up is a memory death as well": (
        failing("a", 120, 150) + listener("b", POD, 10) + death("b", POD, 119, "heap_full"),
        {125: ([victim(kind="heap_full")], [DEATH])}),
    "an end without memory is named and raises no alarm of memory": (
        failing("a", 120, 150) + listener("b", POD, 10) + death("b", POD, 119, "asked"),
        {125: ([victim(kind="asked", verdict="other_end")], []), 200: (None, [])}),
    "memory before another end at the same time": (
        failing("a", 120, 150) + listener("b", POD, 10) + death("b", POD, 119) +
        death("b", POD, 121, "failure"),
        {125: ([victim()], [DEATH])}),
    "a death without failures is nobody's": (
        listener("b", POD, 10) + death("b", POD, 119), {125: ([], []), 300: ([], [])}),
    "failures without a death are unexplained": (
        failing("a", 120, 600) + listener("b", POD, 10),
        {125: ([unknown("no_death")], []), 200: ([unknown("no_death")], [UNEXPLAINED])}),
    "a death at another address is none": (
        failing("a", 120, 600) + listener("b", POD, 10, address="10.1.0.8:3000") +
        death("b", POD, 119, address="10.1.0.8:3000"),
        {125: ([unknown("no_listener")], []), 200: (None, [UNEXPLAINED])}),
    "a death at another port is none": (
        failing("a", 120, 600) + listener("b", POD, 10, address="10.1.0.7:3001") +
        death("b", POD, 119, address="10.1.0.7:3001"), {125: ([unknown("no_listener")], [])}),
    "a death long before, while somebody listened again, is none": (
        failing("a", 120, 600) + listener("b", POD, 82) + death("b", POD, 80),
        {125: ([unknown("no_death")], [])}),
    "a death long before, and nobody since, is one": (
        failing("a", 200, 600) + listener("b", POD, 10, up_until=80) + death("b", POD, 80),
        {205: ([victim()], [DEATH])}),
    "a death after the last failure is none": (
        failing("a", 120, 122, burst=False) + listener("b", POD, 10) + death("b", POD, 130),
        {145: ([unknown("no_death")], [])}),
    "clocks of two nodes that differ by some seconds": (
        failing("a", 120, 122) + listener("b", POD, 10) + death("b", POD, 125),
        {130: ([victim()], [DEATH])}),
    "a pod that restarts at once is still the victim": (
        failing("a", 121, 125) + listener("b", POD, 120) + death("b", POD, 119),
        {125: ([victim()], [DEATH])}),
    "a crash loop names its victim as long as it fails": (
        failing("a", 120, 700) + listener("b", POD, 10) + death("b", POD, 119, until=400) +
        [series("memswell_listener_last_death_timestamp_seconds",
                {"instance": "b", "address": "10.1.0.7:3000", "netns": "1", "kind": "oom_kill_cgroup",
                 **POD}, (120, 400, 119), (400, FOREVER, 398))],
        {125: ([victim()], None), 600: ([victim()], [DEATH])}),
    # ---- addresses that are used again ----
    "the next owner of the address is not blamed for the death before": (
        failing("a", 200, 600) + listener("b", POD, 10, up_until=119) + death("b", POD, 119) +
        listener("c", OTHER_POD, 150),
        {205: ([unknown("no_death")], []), 300: (None, [UNEXPLAINED])}),
    "nor is the one before blamed, when both come within the window": (
        failing("a", 140, 600) + listener("b", POD, 10, up_until=119) + death("b", POD, 119) +
        listener("c", OTHER_POD, 130),
        {145: ([unknown("no_death")], [])}),
    "the one before is named for its own failures, after the address went on": (
        failing("a", 120, 125) + listener("b", POD, 10, up_until=119) + death("b", POD, 119) +
        listener("c", OTHER_POD, 150),
        {125: ([victim()], [DEATH]), 200: ([victim()], [DEATH])}),
    "the next owner's own death is its own": (
        failing("a", 300, 305) + listener("b", POD, 10, up_until=119) + death("b", POD, 119) +
        listener("c", OTHER_POD, 150) + death("c", OTHER_POD, 299),
        {305: ([victim(OTHER_POD, node="c")], [DEATH])}),
    "the same namespace, another program: host network": (
        failing("a", 200, 600) + listener("b", POD, 10, until=130) + death("b", POD, 119) +
        listener("b", OTHER_POD, 150),
        {205: ([unknown("no_death")], [])}),
    "an address that two nodes claim is nobody's": (
        failing("a", 120, 600) + listener("b", POD, 10, up_until=119) + death("b", POD, 119) +
        listener("c", OTHER_POD, 20),
        {125: ([unknown("ambiguous_address")], []), 200: (None, [UNEXPLAINED])}),
    "nor one of two namespaces of a node": (
        failing("a", 120, 600) + listener("b", POD, 10) + death("b", POD, 119) +
        listener("b", OTHER_POD, 20, netns="2"),
        {125: ([unknown("ambiguous_address")], [])}),
    "loopback is never joined across nodes": (
        failing("a", 120, 600, way={"gateway": "ingress", "upstream": "127.0.0.1:3000"}) +
        listener("b", POD, 10, address="127.0.0.1:3000") + death("b", POD, 119, address="127.0.0.1:3000"),
        {125: ([unknown("no_death", way={"gateway": "ingress", "upstream": "127.0.0.1:3000"})], [])}),
    "nor is Docker's own bridge": (
        failing("a", 120, 600, way={"gateway": "ingress", "upstream": "172.17.0.2:3000"}) +
        death("b", POD, 119, address="172.17.0.2:3000"),
        {125: ([unknown("no_listener", way={"gateway": "ingress", "upstream": "172.17.0.2:3000"})], [])}),
    "a wildcard is no address": (
        failing("a", 120, 600) + listener("b", POD, 10, address="0.0.0.0:3000", scope="wildcard") +
        death("b", POD, 119, address="0.0.0.0:3000"),
        {125: ([unknown("no_listener")], [])}),
    "an address of IPv6": (
        failing("a", 120, 150, way={"gateway": "ingress", "upstream": "[2001:db8::7]:3000"}) +
        listener("b", POD, 10, address="[2001:db8::7]:3000") +
        death("b", POD, 119, address="[2001:db8::7]:3000"),
        {125: ([victim(way={"gateway": "ingress", "upstream": "[2001:db8::7]:3000"})], [DEATH])}),
    # ---- translated addresses ----
    "behind a cluster address the victim is unknown": (
        failing("a", 120, 600, way={"gateway": "ingress", "upstream": "10.96.0.5:80"}) +
        listener("b", POD, 10) + death("b", POD, 119),
        {125: ([unknown("no_listener", way={"gateway": "ingress", "upstream": "10.96.0.5:80"})], []),
         200: (None, [UNEXPLAINED])}),
    # ---- several of each ----
    "two victims behind one gateway": (
        failing("a", 120, 150) + listener("b", POD, 10) + death("b", POD, 119) +
        failing("a", 130, 150, way={"gateway": "ingress", "upstream": "10.1.0.8:3000"}) +
        listener("c", OTHER_POD, 10, address="10.1.0.8:3000") +
        death("c", OTHER_POD, 129, "heap_full", address="10.1.0.8:3000"),
        {135: ([victim(), victim(OTHER_POD, "heap_full", "c",
                                 way={"gateway": "ingress", "upstream": "10.1.0.8:3000"})],
               [DEATH, DEATH])}),
    "two gateways behind one victim": (
        failing("a", 120, 150) + failing("d", 121, 150) + listener("b", POD, 10) + death("b", POD, 119),
        {125: ([victim(), victim(gateway="d")], [DEATH, DEATH])}),
    "another cluster has the same addresses": (
        failing("a", 120, 600, cluster="one") + listener("b", POD, 10, cluster="two") +
        death("b", POD, 119, cluster="two") + listener("b", OTHER_POD, 10, cluster="one"),
        {125: ([{**unknown("no_death"), "cluster": "one"}], [])}),
    "a pair of servers says it once": (
        failing("a", 120, 150, replica="0") + failing("a", 120, 150, replica="1") +
        listener("b", POD, 10, replica="0") + listener("b", POD, 10, replica="1") +
        death("b", POD, 119, replica="0") + death("b", POD, 119, replica="1"),
        {125: ([victim()], [DEATH])}),
    # ---- what is missing ----
    "the other node has no memswell": (
        failing("a", 120, 600), {125: ([unknown("no_listener")], []), 200: (None, [UNEXPLAINED])}),
    "the other node went away with its memswell": (
        failing("a", 120, 600) + listener("b", POD, 10, until=115),
        {125: ([unknown("no_listener")], [])}),
    "it told of the death, and went away then": (
        failing("a", 120, 200) + listener("b", POD, 10, until=130) + death("b", POD, 119, until=130),
        {125: ([victim()], [DEATH]), 145: ([unknown("no_listener")], [])}),
    "the gateway's memswell starts anew while it fails": (
        failing("a", 120, 160, until=160) +
        failing("a", 165, 300, seen=165) + listener("b", POD, 10, up_until=119) + death("b", POD, 119),
        {125: ([victim()], [DEATH]), 170: ([victim()], [DEATH])}),
    "the victim's memswell starts anew: nothing of the past is made up": (
        failing("a", 200, 600) + listener("b", POD, 10, until=190) + listener("b", POD, 195),
        {205: ([unknown("no_death")], [])}),
    # ---- with what the gateway's node knows by itself ----
    "what the gateway's node saw itself comes first": (
        failing("a", 120, 150) + incident("a", 120, 160, "memory_death", "heap_leak") +
        listener("a", POD, 10) + death("a", POD, 119),
        {125: ([local("memory_death", "heap_leak")], [DEATH]), 170: ([victim(node="a")], [DEATH])}),
    "a deploy it saw is no memory death": (
        failing("a", 120, 150) + incident("a", 120, 160, "deploy_restart") + listener("b", POD, 10) +
        death("b", POD, 119), {125: ([local("deploy_restart")], [])}),
    "a guess from afar yields to the death that was seen": (
        failing("a", 120, 150) + incident("a", 120, 160, "network", service="10.1.0.7:3000") +
        listener("b", POD, 10) + death("b", POD, 119), {125: ([victim()], [DEATH])}),
    "a guess from afar stands where nothing was seen": (
        failing("a", 120, 300) + incident("a", 120, 400, "network", service="10.1.0.7:3000"),
        {125: ([local("network", service="10.1.0.7:3000")], []), 250: (None, [])}),
    "what it cannot explain yields to the join": (
        failing("a", 120, 150) + incident("a", 120, 160, "unexplained", service="10.1.0.7:3000") +
        listener("b", POD, 10) + death("b", POD, 119), {125: ([victim()], [DEATH])}),
    "a memory death on loopback is the node's to tell": (
        failing("a", 120, 150, way={"gateway": "ingress", "upstream": "127.0.0.1:3000"}) +
        incident("a", 120, 160, "memory_death", "heap_leak",
                 way={"gateway": "ingress", "upstream": "127.0.0.1:3000"}),
        {125: ([local("memory_death", "heap_leak",
                      way={"gateway": "ingress", "upstream": "127.0.0.1:3000"})], [DEATH])}),
    "single failures raise no alarm": (
        failing("a", 120, 600, burst=False), {300: (None, [])}),
}

SERVICE = {"instance": "b", "service_name": "shop/api", "listener": "0.0.0.0:3000", "netns": "1"}
DEATHS = "memswell_service_deaths_total"


def counter(name, labels, *steps, until=FOREVER, reset=None):
    """One more at each of `steps`; back to 0 at `reset`."""
    return series(name, labels, (0, until, lambda t: sum(
        (reset is None or t < reset or s > reset) and s <= t for s in steps)))


CASES.update({
    # ---- services ----
    "a ceiling within a quarter of an hour": (
        [series("memswell_service_time_to_ceiling_seconds", SERVICE, (100, 200, 600)),
         series("memswell_service_growth_level", SERVICE, (0, FOREVER, 2))],
        {115: (None, []), 150: (None, ["MemswellCeilingSoon"]), 205: (None, [])}),
    "a ceiling far away, or one only suspected": (
        [series("memswell_service_time_to_ceiling_seconds", SERVICE, (100, 200, 1800)),
         series("memswell_service_growth_level", SERVICE, (0, FOREVER, 2)),
         series("memswell_service_time_to_ceiling_seconds", {**SERVICE, "netns": "2", "listener": "[::]:1"},
                (100, 200, 600)),
         series("memswell_service_growth_level", {**SERVICE, "netns": "2", "listener": "[::]:1"},
                (0, FOREVER, 1))],
        {190: (None, [])}),
    "a listener that is still asked for": (
        failing("a", 120, 400, burst=False) + listener("b", POD, 10, up_until=119),
        {150: (None, []), 240: (None, ["MemswellListenerDown"]), 600: (None, [])}),
    "a listener that nobody asks for": (
        listener("b", POD, 10, up_until=119), {300: (None, [])}),
    "a listener that moved to another node": (
        failing("a", 120, 400, burst=False) + listener("b", POD, 10, up_until=119) +
        listener("c", POD, 125), {300: (None, [])}),
    "loopback of this node": (
        failing("a", 120, 400, way={"gateway": "ingress", "upstream": "127.0.0.1:3000"}, burst=False) +
        listener("a", POD, 10, up_until=119, address="127.0.0.1:3000"),
        {200: (None, ["MemswellListenerDown"])}),
    "loopback of another node": (
        failing("a", 120, 400, way={"gateway": "ingress", "upstream": "127.0.0.1:3000"}, burst=False) +
        listener("b", POD, 10, up_until=119, address="127.0.0.1:3000"), {200: (None, [])}),
    "three deaths and three returns are a crash loop": (
        [counter("memswell_service_restarts_total", SERVICE, 101, 201, 301),
         counter(DEATHS, {**SERVICE, "kind": "failure"}, 100, 200, 300)],
        {250: (None, []), 360: (None, ["MemswellCrashLoop"]), 1200: (None, [])}),
    "three deploys are none": (
        [counter("memswell_service_restarts_total", SERVICE, 101, 201, 301),
         counter(DEATHS, {**SERVICE, "kind": "asked"}, 100, 200, 300)], {310: (None, [])}),
    "a memswell that starts anew makes no crash loop": (
        [counter("memswell_service_restarts_total", SERVICE, 10, 20, 30, reset=200),
         counter(DEATHS, {**SERVICE, "kind": "failure"}, 9, 19, 29, reset=200)],
        {700: (None, [])}),
    "a memory death that no gateway noticed": (
        [counter(DEATHS, {**SERVICE, "kind": "oom_kill_cgroup"}, 100)],
        {120: (None, []), 240: (None, ["MemswellMemoryDeath"]), 900: (None, [])}),
    "one that a gateway noticed is told once": (
        [counter(DEATHS, {**SERVICE, "kind": "oom_kill_cgroup"}, 119)] +
        failing("a", 120, 150) + listener("b", POD, 10) + death("b", POD, 119),
        {125: (None, [DEATH]), 250: (None, [DEATH])}),
    "an end that was asked for is no memory death": (
        [counter(DEATHS, {**SERVICE, "kind": "asked"}, 100)], {105: (None, [])}),
    # ---- memswell itself ----
    "a memswell that cannot be scraped": (
        [series("up", {"job": "memswell", "instance": "a"}, (0, FOREVER, lambda t: int(t < 100))),
         series("memswell_build_info", {"instance": "b"}, (0, FOREVER, 1))],
        {300: (None, []), 500: (None, ["MemswellAbsent"])}),
    "no memswell at all": (
        [series("up", {"job": "node"}, (0, FOREVER, 1))], {500: (None, ["MemswellAbsent"])}),
    "a loop that stands": (
        [series("memswell_last_tick_timestamp_seconds", {"instance": "a"}, (0, FOREVER, lambda t: min(t, 100))),
         series("memswell_tick_interval_seconds", {"instance": "a"}, (0, FOREVER, 1))],
        {120: (None, []), 180: (None, ["MemswellStuck"])}),
    "a loop that goes round slowly, as told": (
        [series("memswell_last_tick_timestamp_seconds", {"instance": "a"}, (0, FOREVER, lambda t: t - t % 60)),
         series("memswell_tick_interval_seconds", {"instance": "a"}, (0, FOREVER, 60))],
        {180: (None, []), 500: (None, [])}),
    "losses that go on": (
        [counter("memswell_losses_total", {"instance": "a", "stream": "fork", "reason": "ring_full"},
                 *range(100, 1000, 50))],
        {400: (None, []), 800: (None, ["MemswellLosesEvents"])}),
    "a loss long ago, and a memswell that starts anew": (
        [counter("memswell_losses_total", {"instance": "a", "stream": "fork", "reason": "ring_full"},
                 10, 20, reset=300)], {1000: (None, [])}),
    "a hook that is missing": (
        [series("memswell_hook_state", {"instance": "a", "hook": "oom", "state": state},
                (0, FOREVER, int(state == "unavailable")))
         for state in ("attached", "unavailable", "off", "shed")],
        {600: (None, []), 1000: (None, ["MemswellHookMissing"])}),
    "hooks that are attached, or were not wanted": (
        [series("memswell_hook_state", {"instance": "a", "hook": "oom", "state": "attached"}, (0, FOREVER, 1)),
         series("memswell_hook_state", {"instance": "a", "hook": "vm_events", "state": "off"}, (0, FOREVER, 1))],
        {1500: (None, [])}),
    "a budget that is not kept": (
        [series("memswell_cost_ratio", {"instance": "a"}, (0, FOREVER, 0.02)),
         series("memswell_budget_ratio", {"instance": "a"}, (0, FOREVER, 0.01))],
        {400: (None, ["MemswellOverBudget"])}),
    "a budget that is kept, and none": (
        [series("memswell_cost_ratio", {"instance": "a"}, (0, FOREVER, 0.005)),
         series("memswell_budget_ratio", {"instance": "a"}, (0, FOREVER, 0.01)),
         series("memswell_cost_ratio", {"instance": "b"}, (0, FOREVER, 0.05)),
         series("memswell_budget_ratio", {"instance": "b"}, (0, FOREVER, 0))],
        {400: (None, [])}),
    "more services than are exported": (
        [series("memswell_metrics_series_left_out", {"instance": "a", "table": "services"}, (0, FOREVER, 3))],
        {1000: (None, []), 1800: (None, ["MemswellSeriesLeftOut"])}),
    # ---- before it fails ----
    "a gateway's upstream that grows towards its end": (
        failing("a", 5000, 5000) + listener("b", POD, 10) +
        [series("memswell_listener_time_to_ceiling_seconds",
                {"instance": "b", "address": "10.1.0.7:3000", "netns": "1"}, (0, FOREVER, 420))],
        {300: ([], [])}),
})

# Further expressions of some cases: name: {time: (expression, [(labels, value)])}.
ASKED = {
    "a gateway's upstream that grows towards its end": {
        300: ("memswell:upstream_time_to_ceiling:seconds",
              [({"instance": "a", **WAY, "victim_instance": "b", "service_name": "shop/api",
                 "k8s_namespace_name": "shop", "k8s_pod_name": "api-1"}, 420)])},
}


def sample(name, labels, value=1):
    text = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
    return {"labels": f"{name}{{{text}}}", "value": value}


def questions(name, expected):
    for at, (rows, alerts) in expected.items():
        if rows is not None:
            yield {"expr": "memswell:upstream_verdict:info", "eval_time": f"{at}s",
                   "exp_samples": [sample("memswell:upstream_verdict:info", row) for row in rows]}
        if alerts is not None:
            counts = {a: alerts.count(a) for a in alerts}
            yield {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": f"{at}s",
                   "exp_samples": [sample("", {"alertname": a}, n) for a, n in counts.items()]}
    for at, (expression, samples) in ASKED.get(name, {}).items():
        yield {"expr": expression, "eval_time": f"{at}s",
               "exp_samples": [sample(expression, labels, value) for labels, value in samples]}


def written(values):
    """As promtool reads it: what a target does not show any more is marked stale once."""
    words = []
    for before, value in zip([None] + values, values):
        words.append(str(value) if value is not None else "_" if before is None else "stale")
    return " ".join(words)


def last_of(name):
    return max(list(CASES[name][1]) + list(ASKED.get(name, {})))


def stride(name):
    """Long stories are told in longer steps: what they are about takes minutes."""
    return 6 if last_of(name) > 450 else 1


def inputs(name):
    """Pieces of the same series as one; and where a story says nothing of it, there is a memswell."""
    told = CASES[name][0]
    steps = last_of(name) // STEP_S + 2
    merged = {}
    for key, values in told:
        earlier = merged.get(key, [None] * len(values))
        merged[key] = [b if a is None else a for a, b in zip(earlier, values)]
    if not any(key.startswith(("up{", "memswell_build_info")) for key in merged):
        merged['memswell_build_info{instance="z"}'] = [1] * steps
    return [{"series": key, "values": written(values[:steps:stride(name)])} for key, values in merged.items()]


def complaint_about(names, directory):
    """None, or what promtool says about these cases, all of one stride."""
    path = os.path.join(directory, "cases.yml")
    step = f"{STEP_S * stride(names[0])}s"
    tests = [{"name": name, "interval": step, "input_series": inputs(name),
              "promql_expr_test": list(questions(name, CASES[name][1]))} for name in names]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"rule_files": [RULES], "evaluation_interval": step, "tests": tests}, file)
    result = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True,
                            check=False, timeout=600)
    return None if result.returncode == 0 else result.stdout + result.stderr


def alerts_of_rules():
    with open(RULES, encoding="utf-8") as file:
        return set(re.findall(r"^ +- alert: (\w+)$", file.read(), re.MULTILINE))


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    names = [name for name in CASES if pattern in name]
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        good = {s: complaint_about([n for n in names if stride(n) == s], directory) is None
                for s in {stride(n) for n in names}}
        for name in names:
            complaint = None if good[stride(name)] else complaint_about([name], directory)
            failed = failed or complaint is not None
            if complaint is None:
                print(f"ok rules: {name}")
            else:
                print(f"not ok rules: {name} - promtool disagrees")
                print(re.sub("^", "#   ", complaint.strip(), flags=re.MULTILINE))
    fired = {a for _, expected in CASES.values() for _, alerts in expected.values() for a in alerts or []}
    missing = alerts_of_rules() - fired
    if not pattern:
        print("not ok" if missing else "ok", "rules: each alert fires in some case",
              f"- never: {', '.join(sorted(missing))}" if missing else "")
    sys.exit(failed or bool(missing and not pattern))


main()
