#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_metrics.py SCRAPE REPORTS ACCESS_LOG ADDRESS - do the numbers of a scrape say what the reports and nginx's
own log of the same run say? The scrape is OpenMetrics and read by the parser of the Prometheus client for
Python, where that is installed, which refuses what the specification does not allow. One line per question:
ok, not ok or skip."""
import calendar
import json
import re
import sys
import time

NAME = "metrics"


def parse_plainly(text):
    """Samples as (name, labels, value), for machines without the client."""
    label = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        yield match[1], dict(label.findall(match[2] or "")), float(match[3])


def parse(text):
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        print(f"skip {NAME}: another parser takes it - python3-prometheus-client is not installed")
        return list(parse_plainly(text))
    samples = [(s.name, s.labels, s.value)
               for family in text_string_to_metric_families(text) for s in family.samples]
    print(f"ok {NAME}: another parser takes it, {len(samples)} samples")
    return samples


def seconds_of(timestamp):
    whole, _, fraction = timestamp.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Check:
    def __init__(self, samples):
        self.samples = samples
        self.failed = False

    def sum(self, name, **labels):
        found = [value for n, l, value in self.samples
                 if n == name and all(l.get(k) == v for k, v in labels.items())]
        return sum(found) if found else None

    def label(self, name, label, **labels):
        return next((l[label] for n, l, _ in self.samples
                     if n == name and all(l.get(k) == v for k, v in labels.items())), None)

    def equal(self, what, got, wanted):
        if got == wanted and wanted is not None:
            print(f"ok {NAME}: {what}: {got:g}")
        else:
            print(f"not ok {NAME}: {what} - the scrape says {got}, the run says {wanted}")
            self.failed = True

    def true(self, what, is_true, why):
        print(f"ok {NAME}: {what}" if is_true else f"not ok {NAME}: {what} - {why}")
        self.failed |= not is_true


def main():
    scrape, reports, access_log, address = sys.argv[1:]
    check = Check(parse(open(scrape, encoding="utf-8").read()))
    # The scrape came some time before the end: what was told until then.
    scraped = check.sum("memswell_last_tick_timestamp_seconds")
    lines = [line for line in lines_of(reports) if seconds_of(line["timestamp"]) <= scraped + 0.001]
    kind = lambda k: [line for line in lines if line["schema"] == "memswell." + k]
    is_ours = lambda impact: f'{impact["network.peer.address"]}:{impact["network.peer.port"]}' == address
    incidents = kind("incident")
    closed = [line for line in incidents if line["record"] == "close"]
    ours = [line for line in closed if is_ours(line["impact"])]
    last = ours[-1]["verdict"]
    gateway = check.label("memswell_gateway_upstream_requests_total", "gateway", upstream=address)

    # Of everything on this host.
    verdict = lambda line: (line["verdict"]["class"], line["verdict"].get("cause"), line["id"])
    check.equal("incidents that ended", check.sum("memswell_incidents_total"), len(set(map(verdict, closed))))
    newest = {line["id"]: line["record"] for line in incidents}
    check.equal("incidents that go on", check.sum("memswell_incidents_open"),
                sum(record != "close" for record in newest.values()))
    check.equal("OOM kills", check.sum("memswell_oom_kills_total", limit="cgroup"),
                sum(line["oom"]["memcg_oom"] for line in kind("oom_kill")))
    exits = [line["process"]["exit"] for line in kind("process_exit")]
    check.equal("deaths by the OOM killer",
                check.sum("memswell_process_exits_total", kind="oom_kill_cgroup"),
                sum(exit["oom_kill"] and exit["memcg_oom"] for exit in exits))
    check.equal("all deaths", check.sum("memswell_process_exits_total"), len(exits))
    check.equal("bursts", check.sum("memswell_bursts_total"),
                sum(line["burst"]["record"] == "open" for line in kind("burst")))
    check.equal("growth warnings", check.sum("memswell_growth_warnings_total"),
                sum(line["growth"]["level"] != "none" for line in kind("growth")))

    # Of the service behind our nginx.
    check.equal("incidents of the service",
                check.sum("memswell_service_incidents_total", upstream=address,
                          **{"class": last["class"], "cause": last.get("cause") or ""}),
                len({verdict(line) for line in ours if line["verdict"]["class"] == last["class"]}))
    culprits = {line["process"]["process.pid"] for line in ours if line["process"]["exit"]["oom_kill"]}
    check.equal("deaths behind the address",
                check.sum("memswell_listener_deaths_total", address=address, kind="oom_kill_cgroup"),
                len(culprits))
    check.equal("somebody listens again", check.sum("memswell_listener_up", address=address), 1)
    ups = [line for line in kind("listener")
           if line["listener"]["network.local.port"] == int(address.split(":")[1])
           and line["listener"]["state"] == "up" and line["listener"].get("outage_ms") is not None]
    check.equal("restarts", check.sum("memswell_listener_restarts_total", address=address), len(ups))
    statuses = [line.split()[1] for line in open(access_log, encoding="utf-8")]
    for words in (["502"], ["504"], ["2xx"]):
        check.equal(f"answers of {words[0]} as in nginx's log",
                    check.sum("memswell_gateway_client_responses_total", gateway=gateway, status=words[0]),
                    sum(s == words[0] or s[0] + "xx" == words[0] for s in statuses))
    impact = ours[-1]["impact"]
    for name in ("connect_refused", "rst_before_response", "fin_before_response"):
        check.equal(f"failures: {name}",
                    check.sum("memswell_gateway_upstream_failures_total", upstream=address, kind=name),
                    impact["upstream_failures"][name])
    check.equal("clients failed with 502",
                check.sum("memswell_gateway_client_failures_total", upstream=address, kind="502"),
                impact["client_responses"]["502"])

    # Of memswell itself, as of a heartbeat.
    records = check.sum("memswell_records_total")
    beat = next((b for b in kind("heartbeat") if b["agent"]["records"] == records), None)
    check.true("a heartbeat of the run is shown", beat is not None, f"none has {records} records")
    if beat:
        check.equal("losses as in that heartbeat", check.sum("memswell_losses_total") or 0,
                    sum(loss["count"] for loss in beat["losses"]))
        check.equal("books as in that heartbeat", check.sum("memswell_stream_produced_total"),
                    sum(stream["produced"] for stream in beat["streams"]))
        check.equal("own memory as in that heartbeat", check.sum("memswell_resident_memory_bytes"),
                    beat["agent"]["rss_bytes"])
    check.equal("hooks attached", check.sum("memswell_hook_state", state="attached"),
                sum(p["state"] == "attached" for p in kind("start")[0]["probes"]))
    sys.exit(check.failed)


main()
