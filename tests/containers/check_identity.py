#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_identity.py - does every line about a process say whose it is, as the runtime does?

  check_identity.py --name NAME --pid PID REPORTS KEY=VALUE...

VALUE is a string, or JSON in the form :JSON (":null" is not known, ":absent" is not there at all). Asked
are, of what is about PID, the last record of the incident (its "resource"), the process_exit and the
oom_kill report, or those that --only names; "open" is the incident's first record. Prints one "ok NAME" or
"not ok NAME - why" per line; the exit status says whether all held.
"""
import argparse
import json
import sys

ABSENT = object()


def expectation(text):
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text}: expected KEY=VALUE")
    if value == ":absent":
        return key, ABSENT
    return key, json.loads(value[1:]) if value.startswith(":") else value


def differences(found, expected):
    for key, value in expected:
        got = found.get(key, ABSENT)
        if got is not value and got != value:
            yield f"{key} is {'absent' if got is ABSENT else json.dumps(got)}, expected " \
                  f"{'absent' if value is ABSENT else json.dumps(value)}"


def places(reports, pid):
    """For each name, the object that must say whose the process is; None: there is no such line."""
    about = [r for r in reports if (r.get("process") or {}).get("process.pid") == pid]
    of_schema = {name: [r for r in about if r["schema"] == "memswell." + name]
                 for name in ("incident", "process_exit", "oom_kill")}
    places = {name: found[-1]["process"] if found else None for name, found in of_schema.items()}
    incidents = of_schema["incident"]
    places["incident"] = incidents[-1]["resource"] if incidents else None
    places["open"] = incidents[0]["resource"] if incidents else None
    return places


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--only", default="incident,process_exit,oom_kill")
    parser.add_argument("reports")
    parser.add_argument("expected", nargs="+", type=expectation)
    options = parser.parse_args()
    with open(options.reports, encoding="utf-8") as file:
        reports = [json.loads(line) for line in file]
    found = places(reports, options.pid)
    failed = False
    for place in options.only.split(","):
        wrong = ["there is none"] if found[place] is None else \
            list(differences(found[place], options.expected))
        failed |= bool(wrong)
        print(f"not ok {options.name}: {place} says whose it was - {'; '.join(wrong)}" if wrong else
              f"ok {options.name}: {place} says whose it was")
    sys.exit(failed)


if __name__ == "__main__":
    main()
