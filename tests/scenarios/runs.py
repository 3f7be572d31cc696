# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Runs of scenarios, as score.py and baselines.py read them: a directory that a live run left, or a
fixture that is replayed. Judges nothing."""
import datetime
import gzip
import json
import os
import subprocess

import catalogue

MEMSWELL = os.environ.get("MEMSWELL") or os.path.join(catalogue.DIR, "..", "..", "memswell")
FIXTURE = ".records.jsonl.gz"


def epoch_ms(rfc3339):
    whole, _, fraction = rfc3339.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S")
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000 + float("0." + (fraction or "0")) * 1000


def json_lines(lines):
    return [json.loads(line) for line in lines if line.strip()]


class Run:
    """One run: the truth about it, what memswell reported, and the records it reported from."""

    def __init__(self, truth, reports, records_path):
        self.truth = truth
        self.reports = reports
        self.records_path = records_path
        self.name = truth["scenario"]

    def records(self):
        open_file = gzip.open if self.records_path.endswith(".gz") else open
        with open_file(self.records_path, "rt", encoding="utf-8") as file:
            return json_lines(file)

    def of_schema(self, name):
        return [report for report in self.reports if report["schema"] == "memswell." + name]

    def incidents(self):
        """Our incidents, each as the list of its revisions, in the order they opened."""
        found = {}
        for report in self.of_schema("incident"):
            if self.is_ours(report):
                found.setdefault(report["id"], []).append(report)
        return list(found.values())

    def is_ours(self, incident):
        """Other software on this machine, and other scenarios, may have incidents of their own."""
        impact = incident.get("impact") or {}
        process = incident.get("process") or {}
        proxy = impact.get("proxy") or {}
        return (impact.get("network.peer.port") in self.truth["ports"]
                or proxy.get("process.pid") in self.truth["gateways"]
                or process.get("process.pid") in self.truth["pids"])


def from_directory(path):
    with open(os.path.join(path, "truth.json"), encoding="utf-8") as file:
        truth = json.load(file)
    with open(os.path.join(path, "reports.jsonl"), encoding="utf-8") as file:
        reports = json_lines(file)
    records = os.path.join(path, "records.jsonl")
    return Run(truth, reports, records if os.path.exists(records) else records + ".gz")


def replayed(path, truth):
    """The same records through the memswell of today."""
    with gzip.open(path, "rb") as file:
        done = subprocess.run([MEMSWELL, "replay", *truth["options"], "-"], input=file.read(), capture_output=True,
                              check=False, timeout=120)
    if done.returncode:
        truth = dict(truth, problems=[f"replay ends with {done.returncode}"])
    return Run(truth, json_lines(done.stdout.decode().splitlines()), path)


def fixtures(directory):
    with open(os.path.join(directory, "truth.json"), encoding="utf-8") as file:
        truths = json.load(file)
    for name, truth in sorted(truths.items()):
        yield replayed(os.path.join(directory, name + FIXTURE), truth)


def load(path, replay=False):
    """The runs at a path: one result, a directory of results, or the directory of fixtures."""
    if os.path.exists(os.path.join(path, "reports.jsonl")):
        run = from_directory(path)
        return [replayed_result(run) if replay else run]
    if any(name.endswith(FIXTURE) for name in os.listdir(path)):
        return list(fixtures(path))
    inner = (os.path.join(path, name) for name in sorted(os.listdir(path)))
    return [run for directory in inner if os.path.exists(os.path.join(directory, "truth.json"))
            for run in load(directory, replay)]


def replayed_result(run):
    if run.records_path.endswith(".gz"):
        return replayed(run.records_path, run.truth)
    raise ValueError("only compressed records are replayed")
