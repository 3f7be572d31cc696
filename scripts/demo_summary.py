#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""demo_summary.py REPORTS ACCESS_LOG UPSTREAM_PORT - tells the last incident of an upstream for a
reader in a hurry, next to what nginx logged, then prints its JSON. Shows what memswell said; adds
no judgement of its own."""
import json
import sys
import textwrap

MOMENTS = {
    "growth_onset": "its memory begins to grow",
    "prediction": "memswell predicts that it will run out",
    "oom_mark": "the kernel's OOM killer chooses it",
    "v8_fatal": "V8 gives up: heap limit reached",
    "signal": "the fatal signal",
    "exit": "the process is dead",
    "listener_down": "its port has no listener any more",
    "first_reset": "first request in flight is reset",
    "first_refused": "first connection is refused",
    "first_failure": "first failure at the gateway",
    "last_failure": "last failure at the gateway",
    "listener_up": "the port has a listener again",
    "recovered": "requests are answered again",
}


def plain(value):
    """Names are others' choice: what could steer a terminal is shown as its number."""
    if isinstance(value, str):
        return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def mib(count):
    return "unknown" if count is None else f"{count / 2**20:.0f} MiB"


def offset(milliseconds):
    if abs(milliseconds) >= 1000:
        return f"{milliseconds / 1000:+.2f} s"
    return f"{milliseconds:+.1f} ms"


def row(name, text):
    head = f"  {name:<12}"
    print(textwrap.fill(text, 98, initial_indent=head, subsequent_indent=" " * len(head)))


def why(incident):
    verdict = incident["verdict"]
    cause = verdict.get("cause")
    text = verdict["class"] + (f", cause {cause}" if cause else "")
    return f"{text} ({verdict['level']}, confidence {verdict['confidence']:.2f})"


def who(process):
    text = f"{process['process.executable.name']}, pid {process['process.pid']}"
    died = process.get("exit")
    if not died:
        return text
    text += f", exit status {died['process.exit.code']}"
    if died.get("signal"):
        text += f" ({died['signal_name']} {died.get('signal_code') or ''}".rstrip() + ")"
    return text


def tell_memory(memory):
    text = f"{mib(memory.get('anon_bytes_at_death'))} anonymous at death"
    if memory.get("limit_bytes"):
        text += f", limit {mib(memory['limit_bytes'])}"
    if memory.get("floor_slope_bytes_per_s"):
        text += f", had grown by {memory['floor_slope_bytes_per_s'] / 2**20:.1f} MiB/s"
    if memory.get("bytes_per_request"):
        text += f", {memory['bytes_per_request'] / 1000:.0f} kB per request"
    row("memory", text)


def tell_impact(impact, logged):
    client = impact["client_responses"].get("502", 0)
    row("502s", f"{client} counted by memswell in the kernel, {logged} in nginx's access log")
    kinds = [f"{count} x {kind.replace('_', ' ')}"
             for kind, count in impact["upstream_failures"].items()
             if count and kind not in ("gateway_status", "rst_sent")]
    row("upstream", ", ".join(kinds) or "no failures")


def tell(incident, logged):
    print("\nWhat memswell says\n")
    row("summary", incident["summary"])
    row("why", why(incident))
    if incident.get("process"):
        row("who", who(incident["process"]))
    if incident.get("memory"):
        tell_memory(incident["memory"])
    tell_impact(incident["impact"], logged)
    print("\n  timeline (0 is the death)")
    for moment in incident.get("timeline", []):
        text = MOMENTS.get(moment["kind"], moment["kind"])
        if moment.get("detail"):
            text += f" ({moment['detail']})"
        print(f"  {offset(moment['offset_ms']):>12}  {text}")
    print("\n  what to do")
    for action in incident.get("actions", []):
        head = f"    {action['priority']}. {action['kind']}: "
        print(textwrap.fill(action["text"], 98, initial_indent=head, subsequent_indent=" " * 7))


def main():
    reports_path, access_path, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(reports_path, encoding="utf-8") as file:
        reports = [plain(json.loads(line)) for line in file]
    mine = [r for r in reports if r["schema"] == "memswell.incident"
            and r["impact"]["network.peer.port"] == port]
    if not mine:
        sys.exit("demo: memswell reported no incident for this upstream")
    with open(access_path, encoding="utf-8") as file:
        logged = sum(line.split(" ", 2)[1] == "502" for line in file)
    tell(mine[-1], logged)
    print("\nThe incident as JSON (one line in the stream, revision "
          f"{mine[-1]['revision']}, {len(mine)} records under one id)\n")
    print(json.dumps(mine[-1], indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
