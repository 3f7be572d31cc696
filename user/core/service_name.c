/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* service_name.c - see service_name.h. */
#include "core/service_name.h"

#include "model/text.h"

void service_name_tell(const struct service_name_facts *facts, char out[SERVICE_NAME_LEN])
{
	struct text text;

	text_init(&text, out, SERVICE_NAME_LEN);
	text_add(&text, "%s:%u", *facts->comm ? facts->comm : "unknown", facts->port);
}
