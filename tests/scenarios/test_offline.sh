#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Scores every kept recording of a scenario: one result each, and the metrics of all. Needs no root.
exec /usr/bin/python3 "$(dirname "$0")/score.py" --tap "$(dirname "$0")/fixtures"
