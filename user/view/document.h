/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * document.h - what a report says, free of any format: incidents, each a list of blocks of plain
 * text. content.c fills it; format_*.c spell it. So every format says the same.
 *
 * Every text in it is valid UTF-8 without control or direction characters: those are spelled out,
 * as "\u001b". Marks that mean something to a format are left for it to escape.
 */
#ifndef MEMSWELL_DOCUMENT_H
#define MEMSWELL_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "view/picture.h"

enum block_kind {
	BLOCK_TEXT = 0, /* one paragraph in each row */
	BLOCK_FACTS,	/* label and value in each row */
	BLOCK_LIST,	/* one item in each row */
	BLOCK_STEPS,	/* likewise, numbered */
	BLOCK_TABLE,	/* a cell per column in each row */
	BLOCK_SHARES,	/* label, value and a number 0..1 in each row */
	BLOCK_PICTURE,	/* the timeline picture and its marks; rows are the data behind it */
	NR_BLOCK_KINDS
};

#define BLOCK_MAX_COLUMNS 12

struct cell {
	const char *text;
	double number; /* what the text spells, in the unit of the column's key */
	bool has_number;
};

struct row {
	const char *key; /* of facts and shares, for programs; NULL none */
	struct cell cells[BLOCK_MAX_COLUMNS];
};

struct column {
	const char *key; /* for programs: "p95_ms" */
	const char *title;
	bool numeric;
};

struct block {
	enum block_kind kind;
	const char *key;
	const char *title;
	const char *note; /* below the title; NULL none */
	bool explains;	  /* part of what `memswell explain` says */
	struct column columns[BLOCK_MAX_COLUMNS];
	uint32_t nr_columns;
	struct row *rows;
	uint32_t nr_rows;
	uint32_t capacity;
};

#define DOCUMENT_MAX_BLOCKS 16
#define DOCUMENT_MAX_MARKS  32

/* A moment in the picture. `number` is that in the list of moments, from 1. */
struct mark {
	uint64_t ts_ns;
	uint32_t number;
	const char *kind; /* of the vocabulary */
	const char *words;
	const char *detail; /* "" none */
};

struct ceiling {
	const char *source;
	const char *words;
	uint64_t bytes;
	bool nearest; /* what the forecast went to */
};

struct doc_incident {
	const char *id;
	const char *host;
	const char *service;
	const char *verdict; /* "Memory death: heap leak" */
	const char *class;   /* of the vocabulary, as are cause ("" none), level and status */
	const char *cause;
	const char *level;
	const char *status;
	const char *status_words;
	const char *summary;
	const char *started; /* wall clock, UTC, to the second */
	const char *duration;
	const char *failed_text; /* "428 of 2601" */
	int64_t started_ns;	 /* wall; 0 unknown */
	double duration_s;
	double confidence;
	uint64_t failed;
	bool memory;		       /* memory is what the verdict blames */
	const struct picture *picture; /* NULL: nothing to draw */
	const char *culprit;	       /* "node (pid 12537)"; "" nobody */
	struct mark marks[DOCUMENT_MAX_MARKS];
	uint32_t nr_marks;
	struct ceiling ceilings[8];
	uint32_t nr_ceilings;
	struct block blocks[DOCUMENT_MAX_BLOCKS];
	uint32_t nr_blocks;
};

struct document {
	const char *title;
	const char *subtitle; /* hosts and time that were read */
	const char *version;
	struct block notes; /* about what was read: what is missing, what was left out */
	struct doc_incident *incidents; /* in order of time */
	uint32_t nr_incidents;
	struct text_piece *pieces; /* what all the texts live in */
	bool failed;		   /* out of memory: texts are missing */
};

void document_init(struct document *d);
void document_free(struct document *d);

/* A text that lives as long as the document; "" when out of memory. */
const char *document_text(struct document *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Foreign text, made fit to be shown, at most `max` bytes of it before that. */
const char *document_shown(struct document *d, const char *text, size_t max);

struct block *document_block(struct doc_incident *incident, enum block_kind kind, const char *key,
			     const char *title);
void block_column(struct block *b, const char *key, const char *title, bool numeric);
/* A new row, NULL when out of memory. */
struct row *block_row(struct document *d, struct block *b);
void block_add(struct document *d, struct block *b, const char *text);
void block_fact(struct document *d, struct block *b, const char *key, const char *label,
		const char *text, double number);
void row_number(struct row *row, uint32_t column, const char *text, double number);

#endif
