/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_node.h - a record of one node as one of several: what it names belongs to that node, and
 * its times are moved to a clock that all share. Which fields that concerns is said by the scopes in
 * record.c, so a new kind of record needs nothing here.
 */
#ifndef MEMSWELL_RECORD_NODE_H
#define MEMSWELL_RECORD_NODE_H

#include "model/record.h"

/* Times that are 0 mean none and stay so. */
void record_move(struct record *record, uint16_t node, int64_t offset_ns);

#endif
