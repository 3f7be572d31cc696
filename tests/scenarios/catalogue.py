# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The scenarios as data: what the head of each scenario file says.

  title     one line
  expect    CLASS/CAUSE, CLASS, or "none": no incident
  accept    further answers that are right, separated by spaces
  culprit   "service": any life of the supervised service that died (the default where a class is
            expected that has one), "named": the pids the scenario named, "none": nobody is blamed
  witness   what must really have happened for the run to count, each NAME OP NUMBER without spaces:
            a status the gateway's log shows (502>=5), failures=0, an upstream failure its error log
            shows (connect_refused>=1), exit=134, deaths>=2, oom_kills>=1
  also      what else the last incident must say, PATH OP VALUE: impact.truncated>0
  ever      likewise, of any revision of it
  incidents how many there may be (default 1 where one is expected)
  warned    yes: growth must be reported of the culprit; no: it must not
  needs     programs and abilities without which it is skipped
  seconds   how long it takes
  run       "long": only when named
"""
import dataclasses
import glob
import operator
import os
import re

DIR = os.path.dirname(os.path.abspath(__file__))
HEAD = re.compile(r"# (title|expect|accept|culprit|witness|also|ever|incidents|warned|needs|seconds|run): *(.*)")
CONDITION = re.compile(r"([\w.%-]+)(>=|<=|=|>|<)(.+)")
OPERATORS = {">=": operator.ge, "<=": operator.le, "=": operator.eq, ">": operator.gt, "<": operator.lt}


@dataclasses.dataclass
class Scenario:
    name: str
    title: str = ""
    expect: str = "none"
    accept: str = ""
    culprit: str = "none"
    witness: str = ""
    also: str = ""
    ever: str = ""
    incidents: str = ""
    warned: str = ""
    needs: str = ""
    seconds: str = "60"
    run: str = ""

    def answers(self):
        """Right answers as (class, cause); the first is the expected one."""
        return [tuple((word + "/").split("/")[:2]) for word in [self.expect] + self.accept.split()]

    @property
    def verdict(self):
        return self.answers()[0][0]

    @property
    def cause(self):
        return self.answers()[0][1]


def read(path):
    scenario = Scenario(os.path.basename(path).removesuffix(".sh"))
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                break
            found = HEAD.match(line)
            if found:
                setattr(scenario, found[1], found[2].strip())
    return scenario


def all_of_them():
    files = sorted(glob.glob(os.path.join(DIR, "[a-z]*[0-9]_*.sh")))
    return {scenario.name: scenario for scenario in map(read, files)}


def conditions(text):
    """(name, operator as text, function, value as text) of each condition."""
    for word in text.split():
        found = CONDITION.fullmatch(word)
        if not found:
            raise ValueError(f"not a condition: {word}")
        yield found[1], found[2], OPERATORS[found[2]], found[3]
