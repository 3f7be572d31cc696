/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* record_node.c - see record_node.h. */
#include "model/record_node.h"

static void move_time(uint64_t *time_ns, int64_t offset_ns)
{
	if (*time_ns)
		*time_ns += (uint64_t)offset_ns;
}

static void move_field(struct record *record, const struct record_field *field, uint16_t node,
		       int64_t offset_ns)
{
	void *at = (uint8_t *)record + field->offset;
	uint32_t nr = field->type == FIELD_U64_ARRAY ? field->count : 1;
	uint64_t *times = at;

	switch (field->scope) {
	case SCOPE_TIME:
		for (uint32_t i = 0; i < nr; i++)
			move_time(&times[i], offset_ns);
		break;
	case SCOPE_PROC:
		((struct proc_id *)at)->node = node;
		move_time(times, offset_ns);
		break;
	case SCOPE_ENDPOINT:
		((struct endpoint *)at)->node = node;
		break;
	case SCOPE_CGROUP:
		((struct cgroup_id *)at)->node = node;
		break;
	default:
		break;
	}
}

void record_move(struct record *record, uint16_t node, int64_t offset_ns)
{
	const struct record_layout *layout = record_layout(record->kind);

	record->node = node;
	record->ts_ns += (uint64_t)offset_ns;
	for (uint32_t i = 0; layout && i < layout->nr_fields; i++)
		if (layout->fields[i].scope != SCOPE_ANYWHERE)
			move_field(record, &layout->fields[i], node, offset_ns);
}
