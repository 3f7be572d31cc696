#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The scenarios that are short and that no live test tells as well: `make scenarios` runs all.
cd "$(dirname "$0")" || exit 1
exec bash run.sh -j 2 --tap p6_ p13_ p17_ n6_ n8_ n14_ n15_ g2_ g7_
