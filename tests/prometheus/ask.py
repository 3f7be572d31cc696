#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""ask.py URL WHAT ... - what a live Prometheus says, against what test_live.sh did.

  scraped NODES SECONDS   waits until so many memswells are scraped
  story OPTION...         the verdict and the alert name the victim, not before it died
  dashboard FILE          every panel's expression is valid, and shows something where it must
  rules                   every rule is evaluated without an error
"""
import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

NAME = "prometheus"
ALERT = "MemswellMemoryDeathBehindGateway"
failed = False


def result(good, what, why=""):
    global failed
    failed = failed or not good
    print(f"ok {NAME}: {what}" if good else f"not ok {NAME}: {what} - {why}", flush=True)
    return good


def get(url, **parameters):
    query = urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(f"{url}?{query}", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


class Prometheus:
    def __init__(self, url):
        self.url = url

    def query(self, expression):
        answer = get(f"{self.url}/api/v1/query", query=expression)
        if answer["status"] != "success":
            raise ValueError(answer.get("error", answer))
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def history(self, expression, begin_s, step_s=1):
        answer = get(f"{self.url}/api/v1/query_range", query=expression, start=begin_s, end=time.time(),
                     step=step_s)
        if answer["status"] != "success":
            raise ValueError(answer.get("error", answer))
        return answer["data"]["result"]

    def wait(self, expression, seconds, enough=1):
        """The answer once it has so many rows, or the last one."""
        deadline = time.monotonic() + seconds
        rows = []
        while time.monotonic() < deadline:
            try:
                rows = self.query(expression)
            except (OSError, ValueError):
                pass
            if len(rows) >= enough:
                break
            time.sleep(0.2)
        return rows


def scraped(prometheus, options):
    rows = prometheus.wait('up{job="memswell"} == 1', options.seconds, options.nodes)
    print(f"# scraped: {rows}")
    return len(rows) == options.nodes


def only_its_node(prometheus, options):
    """Neither knows what the other's is for: else the join would prove nothing."""
    result(not prometheus.query(
        f'memswell_listener_info{{instance="{options.gateway}",address="{options.upstream}"}}'),
        "the gateway's memswell does not know the victim", "it has its listener")
    deaths = prometheus.query(f'sum(memswell_process_exits_total{{instance="{options.gateway}"}}) > 0')
    result(not deaths, "nor its death", f"{deaths}")
    result(not prometheus.query(
        f'memswell_gateway_upstream_requests_total{{instance="{options.victim}",upstream="{options.upstream}"}}'),
        "the victim's memswell does not know the gateway", "it has its way")


def verdict(prometheus, options):
    expression = f'memswell:upstream_verdict:info{{upstream="{options.upstream}",class="memory_death"}}'
    rows = prometheus.wait(expression, 20)
    if not result(len(rows) == 1, "one verdict for the way that fails",
                  f"{rows}; all: {prometheus.query('memswell:upstream_verdict:info')}"):
        return None
    labels = rows[0][0]
    print(f"# {labels}")
    listener = prometheus.query(
        f'memswell_listener_info{{instance="{options.victim}",address="{options.upstream}"}}')
    who = listener[0][0] if listener else {}
    expected = {"instance": options.gateway, "victim_instance": options.victim, "class": "memory_death",
                "cause": "oom_kill_cgroup", "evidence": "join", "service_name": who.get("service_name")}
    result(all(labels.get(k) == v for k, v in expected.items()),
           "it names victim, node and cause", f"{labels}, expected {expected}")
    result(who.get("process_executable_name") == "node" and who.get("listener", "").startswith("[::]"),
           "a wildcard listener is known by the address that answers", f"{listener}")
    return labels


def no_wrong_victim(prometheus, options):
    rows = prometheus.wait(f'memswell:upstream_verdict:info{{upstream="{options.nobody}"}}', 10)
    blamed = [row for row, _ in rows if "victim_instance" in row or row["class"].startswith("memory")]
    print(f"# {[row for row, _ in rows]}")
    result(rows and not blamed, "a port beside it, where nobody listens, is not explained by it", f"{rows}")


def alert(prometheus, options, labels):
    rows = prometheus.wait(f'ALERTS{{alertname="{ALERT}",alertstate="firing"}}', 15)
    result(len(rows) == 1, "the alert fires once", f"{rows}")
    time.sleep(2)  # the last step of a history lies up to one before now
    fired = prometheus.history(f'ALERTS{{alertname="{ALERT}"}}', options.started_ms / 1000)
    first = min((float(series["values"][0][0]) for series in fired), default=0)
    died = options.died_ms / 1000
    result(died - 1 <= first <= died + 15, "not before the death, and within 15 s",
           f"{first - died:.1f} s after it")
    print(f"# alert {first - died:.1f} s after the death, at scrapes and rules of 1 s")
    deadline = time.monotonic() + 15
    found = []
    while not found and time.monotonic() < deadline:
        found = [a for a in get(f"{options.alertmanager}/api/v2/alerts") if a["labels"]["alertname"] == ALERT]
        time.sleep(0.2)
    if not result(len(found) == 1, "the Alertmanager has it", f"{found}"):
        return
    told = found[0]
    result(all(told["labels"].get(k) == v for k, v in labels.items() if k != "__name__"),
           "with the victim in its labels", f"{told['labels']}")
    text = " ".join(told["annotations"].values())
    print(f"# {text}")
    result(labels["service_name"] in text and "<" not in text and "runbooks.md#" in text,
           "and words for whoever is called", text)


def other_alerts(prometheus, options):
    """Nothing else cries wolf over one death."""
    history = prometheus.history('ALERTS{alertstate="firing"}', options.started_ms / 1000)
    others = sorted({series["metric"]["alertname"] for series in history} - {ALERT})
    harmless = {"MemswellHookMissing", "MemswellCeilingSoon"}
    result(history and not set(others) - harmless, "no other alarm", f"{others}")


def story(prometheus, options):
    only_its_node(prometheus, options)
    labels = verdict(prometheus, options)
    if labels:
        no_wrong_victim(prometheus, options)
        alert(prometheus, options, labels)
        other_alerts(prometheus, options)
    return not failed


def dashboard(prometheus, options):
    with open(options.file, encoding="utf-8") as file:
        panels = json.load(file)
    invalid, empty = [], []
    for panel in panels:
        for expression in panel["expressions"]:
            asked = expression.replace("$__rate_interval", "15s").replace("$cluster", ".*").replace(
                "$instance", ".*")
            try:
                rows = prometheus.history(asked, options.started_ms / 1000)
            except ValueError as error:
                invalid.append(f"{panel['title']}: {error}")
                continue
            if panel["must"] and not rows:
                empty.append(panel["title"])
    result(not invalid, f"all {len(panels)} panels ask something valid", "; ".join(invalid))
    result(not empty, "panels that must show something do", "; ".join(empty))
    return not failed


def rules(prometheus, _):
    groups = get(f"{prometheus.url}/api/v1/rules")["data"]["groups"]
    bad = [f"{rule['name']}: {rule.get('lastError', rule['health'])}"
           for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    result(groups and not bad, "every rule is evaluated without an error", "; ".join(bad))
    return not failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    checks = parser.add_subparsers(dest="check", required=True)
    check = checks.add_parser("scraped")
    check.add_argument("nodes", type=int)
    check.add_argument("seconds", type=float)
    check = checks.add_parser("story")
    for name in ("gateway", "victim", "upstream", "nobody", "alertmanager"):
        check.add_argument(f"--{name}", required=True)
    check.add_argument("--died-ms", type=int, required=True)
    check.add_argument("--started-ms", type=int, required=True)
    check = checks.add_parser("dashboard")
    check.add_argument("file")
    check.add_argument("--started-ms", type=int, required=True)
    checks.add_parser("rules")
    options = parser.parse_args()
    check = {"scraped": scraped, "story": story, "dashboard": dashboard, "rules": rules}[options.check]
    sys.exit(0 if check(Prometheus(options.url), options) else 1)


main()
