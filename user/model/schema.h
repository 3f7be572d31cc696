/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * schema.h - docs/schema/memswell.schema.json inside the program, so that the schema at hand is
 * always the one of this build. scripts/embed.sh makes the definition.
 */
#ifndef MEMSWELL_SCHEMA_H
#define MEMSWELL_SCHEMA_H

/* The file as it is, followed by a NUL that schema_json_len does not count. */
extern const char schema_json[];
extern const unsigned long schema_json_len;

#endif
