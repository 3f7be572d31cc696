#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_hooks.py RECORDS EXPECTED NAME - whether the record stream holds what EXPECTED, the output of
provoke, says it must. Prints one "ok NAME: HOOK ...", "not ok ..." or, for a hook that is not attached
here, "skip ..." per line; the exit status says whether all held.

Identity fields choose the records; what is told in deltas (flows, reclaim) is summed over them; of the
rest one record must suit as it is.
"""
import json
import re
import sys

IDENTITY = ("pid", "parent_pid", "sender_pid", "port", "role", "state", "memcg", "origin", "comm", "sender_comm")
DELTAS = ("flow", "reclaim")
ZERO = {"state": "down", "origin": "found"}  # words of value 0, which records leave out
TERM = re.compile(r"^([a-z_0-9]+)(?:\[(\d+)\])?(>=|<=|=)(.*)$")
HOLDS = {"=": lambda is_, wanted: is_ == wanted, ">=": lambda is_, wanted: is_ >= wanted,
         "<=": lambda is_, wanted: is_ <= wanted}


def parse(line):
    hook, kind, *terms = line.split()
    return hook, kind, [TERM.match(term).groups() for term in terms]


def value_of(record, field, index):
    if index is None:
        return record.get(field, ZERO.get(field, 0))
    values = record.get(field, [])
    return values[int(index)] if int(index) < len(values) else 0


def suits(record, terms):
    for field, index, relation, wanted in terms:
        is_ = value_of(record, field, index)
        if not HOLDS[relation](str(is_) if relation == "=" else is_, wanted if relation == "=" else int(wanted)):
            return False
    return True


def total(records, terms):
    """One record that is the sum of all, in the fields that are asked for."""
    summed = {}
    for field, index, _, _ in terms:
        if index is None:
            summed[field] = sum(record.get(field, 0) for record in records)
        else:
            values = summed.setdefault(field, [0] * 64)
            values[int(index)] = sum(value_of(record, field, index) for record in records)
    return summed


def shown(records, terms):
    """What the chosen records say of the fields in question."""
    lines = sorted({" ".join(f"{field}{'' if index is None else f'[{index}]'}={value_of(record, field, index)}"
                             for field, index, _, _ in terms) for record in records})
    return "; ".join(lines[-3:])


def judge(records, kind, terms):
    """None, or why no record suits."""
    identity = [term for term in terms if term[0] in IDENTITY]
    rest = [term for term in terms if term[0] not in IDENTITY]
    chosen = [record for record in records if record["k"] == kind and suits(record, identity)]
    if not chosen:
        return f"no {kind} record with {' '.join(f'{t[0]}={t[3]}' for t in identity)}"
    if kind in DELTAS:
        chosen = [total(chosen, rest)]
    if any(suits(record, rest) for record in chosen):
        return None
    return f"{kind}: {shown(chosen, rest)}"


def main():
    records_file, expected_file, name = sys.argv[1:]
    with open(records_file, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    probes = {record["name"]: record for record in records if record["k"] == "probe"}
    failed = False
    with open(expected_file, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        hook, kind, terms = parse(line)
        probe = probes.get(hook, {"state": "unknown", "reason": "memswell has no such hook"})
        if probe.get("state", "attached") != "attached":
            print(f"skip {name}: {hook} {kind} - {probe['reason']}")
            continue
        why = judge(records, kind, terms)
        fields = " ".join(dict.fromkeys(term[0] for term in terms))
        print(f"not ok {name}: {hook} - {line}: {why}" if why else f"ok {name}: {hook}: {kind} {fields}")
        failed |= bool(why)
    return failed or not lines


if __name__ == "__main__":
    sys.exit(main())
