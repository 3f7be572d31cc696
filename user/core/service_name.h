/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service_name.h - what people call a service: the word that summaries, lists and alerts use for
 * the process that serves. Pure; state and tables are emit.c's.
 */
#ifndef MEMSWELL_SERVICE_NAME_H
#define MEMSWELL_SERVICE_NAME_H

#include "model/workload.h"

struct service_name_facts {
	const struct workload *workload;
	const char *comm;
	uint16_t port; /* it answers on */
};

void service_name_tell(const struct service_name_facts *facts, char out[SERVICE_NAME_LEN]);

#endif
