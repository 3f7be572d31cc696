#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The rings overflow before the service dies of memory: its death is lost, and so nobody is accused.
SUITE=live
LOST=yes
. "$(dirname "$0")/test_blind_death.sh"
