/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* core_match.c - see core_match.h. */
#include "core_match.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 16
#define MAX_DEPTH 16 /* anonymous structs within each other */

/* One step into a type: a member by name, or an element by its index. */
struct step {
	const char *name; /* NULL: an element */
	uint32_t index;
	const struct btf_type *type; /* what it leads to, as we know it */
};

struct path {
	const struct btf_type *root;
	struct step steps[MAX_STEPS];
	int nr_steps;
};

static const struct btf_type *skip_modifiers(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

/* Up to "___", which begins what tells flavours of one kernel type apart. */
static size_t essential_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static bool same_essential(const char *a, const char *b)
{
	size_t len = essential_len(a);

	return len == essential_len(b) && strncmp(a, b, len) == 0;
}

static void add_step(struct path *path, struct step step)
{
	if (path->nr_steps < MAX_STEPS)
		path->steps[path->nr_steps++] = step;
}

/* The first number is an index into an array of the root type, and always 0 for us. */
static void read_path(const struct btf *ours, uint32_t root, const char *access, struct path *path)
{
	const struct btf_type *type = skip_modifiers(ours, root);
	char *end;

	*path = (struct path){.root = type};
	strtoul(access, &end, 10);
	while (type && *end == ':') {
		uint32_t index = (uint32_t)strtoul(end + 1, &end, 10);

		if (btf_is_composite(type)) {
			const struct btf_member *member = btf_members(type) + index;

			type = skip_modifiers(ours, member->type);
			if (member->name_off) /* an anonymous one is no step by name */
				add_step(path,
					 (struct step){name_of(ours, member->name_off), 0, type});
		} else if (btf_is_array(type)) {
			type = skip_modifiers(ours, btf_array(type)->type);
			add_step(path, (struct step){NULL, index, type});
		} else {
			type = NULL;
		}
	}
}

/* The type of a member, also one within anonymous structs and unions; NULL if there is none. */
static const struct btf_type *find_member(const struct btf *kernel, const struct btf_type *type,
					  const char *name, int depth)
{
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++, member++) {
		const struct btf_type *of = skip_modifiers(kernel, member->type);

		if (member->name_off && !strcmp(name_of(kernel, member->name_off), name))
			return of;
		if (member->name_off || depth == MAX_DEPTH || !of || !btf_is_composite(of))
			continue;
		of = find_member(kernel, of, name, depth + 1);
		if (of)
			return of;
	}
	return NULL;
}

static bool compatible(const struct btf *ours, const struct btf_type *a, const struct btf *kernel,
		       const struct btf_type *b)
{
	while (a && b && btf_is_array(a) && btf_is_array(b)) {
		a = skip_modifiers(ours, btf_array(a)->type);
		b = skip_modifiers(kernel, btf_array(b)->type);
	}
	if (!a || !b)
		return a == b; /* void */
	if (btf_is_composite(a) && btf_is_composite(b))
		return true;
	if (btf_is_any_enum(a) && btf_is_any_enum(b))
		return true;
	return btf_kind(a) == btf_kind(b);
}

static bool follow(const struct btf *ours, const struct btf *kernel, const struct btf_type *type,
		   const struct path *path)
{
	for (int i = 0; i < path->nr_steps; i++) {
		const struct step *step = &path->steps[i];

		if (step->name) {
			if (!btf_is_composite(type))
				return false;
			type = find_member(kernel, type, step->name, 0);
		} else {
			if (!btf_is_array(type))
				return false;
			if (btf_array(type)->nelems && step->index >= btf_array(type)->nelems)
				return false;
			type = skip_modifiers(kernel, btf_array(type)->type);
		}
		if (!type || !compatible(ours, step->type, kernel, type))
			return false;
	}
	return true;
}

static bool has_value(const struct btf *kernel, const struct btf_type *type, const char *name)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		uint32_t offset = btf_is_enum(type) ? btf_enum(type)[i].name_off
						    : btf_enum64(type)[i].name_off;

		if (same_essential(name_of(kernel, offset), name))
			return true;
	}
	return false;
}

static const char *value_name(const struct btf *ours, const struct btf_type *type,
			      const char *access)
{
	uint32_t index = (uint32_t)strtoul(access, NULL, 10);

	return name_of(ours, btf_is_enum(type) ? btf_enum(type)[index].name_off
					       : btf_enum64(type)[index].name_off);
}

static bool is_about_field(enum bpf_core_relo_kind kind)
{
	return kind <= BPF_CORE_FIELD_RSHIFT_U64;
}

static bool suits(const struct btf *ours, const struct btf *kernel,
		  const struct btf_type *candidate, const struct bpf_core_relo *relocation,
		  const char *access, const struct path *path)
{
	if (!candidate || !compatible(ours, path->root, kernel, candidate))
		return false;
	if (is_about_field(relocation->kind))
		return follow(ours, kernel, candidate, path);
	if (relocation->kind == BPF_CORE_ENUMVAL_EXISTS ||
	    relocation->kind == BPF_CORE_ENUMVAL_VALUE)
		return btf_is_any_enum(candidate) &&
		       has_value(kernel, candidate, value_name(ours, path->root, access));
	return true;
}

bool core_match(const struct btf *ours, const struct btf *kernel,
		const struct bpf_core_relo *relocation, const char *access)
{
	const struct btf_type *named = btf__type_by_id(ours, relocation->type_id);
	const char *name = name_of(ours, named->name_off);
	struct path path;

	if (relocation->kind == BPF_CORE_TYPE_ID_LOCAL)
		return true;
	read_path(ours, relocation->type_id, is_about_field(relocation->kind) ? access : "0",
		  &path);
	for (uint32_t id = 1; id < btf__type_cnt(kernel); id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);

		if (btf_kind(type) != btf_kind(named) ||
		    !same_essential(name_of(kernel, type->name_off), name))
			continue;
		if (suits(ours, kernel, skip_modifiers(kernel, id), relocation, access, &path))
			return true;
	}
	return false;
}

void core_describe(const struct btf *ours, const struct bpf_core_relo *relocation,
		   const char *access, char *out, size_t out_size)
{
	const struct btf_type *type = btf__type_by_id(ours, relocation->type_id);
	size_t used = (size_t)snprintf(out, out_size, "%s", name_of(ours, type->name_off));
	struct path path;

	if (!is_about_field(relocation->kind)) {
		if (relocation->kind >= BPF_CORE_ENUMVAL_EXISTS && used < out_size)
			snprintf(out + used, out_size - used, ".%s",
				 value_name(ours, skip_modifiers(ours, relocation->type_id),
					    access));
		return;
	}
	read_path(ours, relocation->type_id, access, &path);
	for (int i = 0; i < path.nr_steps && used < out_size; i++)
		used += (size_t)(path.steps[i].name ? snprintf(out + used, out_size - used, ".%s",
							       path.steps[i].name)
						    : snprintf(out + used, out_size - used, "[%u]",
							       path.steps[i].index));
}
