/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* document.c - see document.h. Texts are kept in pieces and freed together. */
#include "view/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define PIECE_BYTES 65536

struct text_piece {
	struct text_piece *next;
	size_t used;
	size_t size;
	char data[];
};

void document_init(struct document *d)
{
	*d = (struct document){0};
}

void document_free(struct document *d)
{
	struct text_piece *piece = d->pieces;

	for (uint32_t i = 0; i < d->nr_incidents; i++)
		for (uint32_t b = 0; b < d->incidents[i].nr_blocks; b++)
			free(d->incidents[i].blocks[b].rows);
	free(d->notes.rows);
	free(d->incidents);
	while (piece) {
		struct text_piece *next = piece->next;

		free(piece);
		piece = next;
	}
	*d = (struct document){0};
}

static char *take(struct document *d, size_t bytes)
{
	struct text_piece *piece = d->pieces;
	size_t size = bytes > PIECE_BYTES ? bytes : PIECE_BYTES;

	if (!piece || piece->size - piece->used < bytes) {
		piece = malloc(sizeof(*piece) + size);
		if (!piece) {
			d->failed = true;
			return NULL;
		}
		piece->next = d->pieces;
		piece->used = 0;
		piece->size = size;
		d->pieces = piece;
	}
	piece->used += bytes;
	return piece->data + piece->used - bytes;
}

const char *document_text(struct document *d, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = n > 0 ? take(d, (size_t)n + 1) : NULL;
	if (!text)
		return "";
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}

/* What moves a cursor, ends a line, turns the direction of text or cannot be seen. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

const char *document_shown(struct document *d, const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *out = take(d, 10 * len + 4); /* "\u{e0001}" for the worst of bytes */
	char *to = out;

	if (!out)
		return "";
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(text + i, len - i);
		uint32_t c = n ? utf8_code_point(text + i, n) : 0xfffd;

		if (n && !is_hidden(c)) {
			memcpy(to, text + i, n);
			to += n;
		} else {
			to += sprintf(to, c > 0xffff ? "\\u{%x}" : "\\u%04x", c);
		}
		i += n ? n : 1;
	}
	*to = '\0';
	return out;
}

struct block *document_block(struct doc_incident *incident, enum block_kind kind, const char *key,
			     const char *title)
{
	struct block *b = &incident->blocks[incident->nr_blocks];

	if (incident->nr_blocks <
	    DOCUMENT_MAX_BLOCKS - 1) /* the last one is for what is too much */
		incident->nr_blocks++;
	*b = (struct block){.kind = kind, .key = key, .title = title};
	return b;
}

void block_column(struct block *b, const char *key, const char *title, bool numeric)
{
	if (b->nr_columns < BLOCK_MAX_COLUMNS)
		b->columns[b->nr_columns++] = (struct column){key, title, numeric};
}

struct row *block_row(struct document *d, struct block *b)
{
	struct row *row;

	if (b->nr_rows == b->capacity) {
		uint32_t capacity = b->capacity ? 2 * b->capacity : 8;
		struct row *rows = realloc(b->rows, capacity * sizeof(*rows));

		if (!rows) {
			d->failed = true;
			return NULL;
		}
		b->rows = rows;
		b->capacity = capacity;
	}
	row = &b->rows[b->nr_rows++];
	*row = (struct row){0};
	for (uint32_t i = 0; i < BLOCK_MAX_COLUMNS; i++)
		row->cells[i].text = "";
	return row;
}

void block_add(struct document *d, struct block *b, const char *text)
{
	struct row *row = block_row(d, b);

	if (row)
		row->cells[0].text = text;
}

void row_number(struct row *row, uint32_t column, const char *text, double number)
{
	row->cells[column] = (struct cell){text, number, true};
}

void block_fact(struct document *d, struct block *b, const char *key, const char *label,
		const char *text, double number)
{
	struct row *row = block_row(d, b);

	if (!row)
		return;
	row->key = key;
	row->cells[0].text = label;
	row_number(row, 1, text, number);
}
