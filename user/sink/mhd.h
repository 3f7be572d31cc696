/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mhd.h - libmicrohttpd, loaded when it is needed.
 *
 * It brings a TLS library along: nine libraries, 2.6 MiB of resident memory and 2 ms at each start, for
 * runs that serve nothing. So it is not linked but opened with --metrics alone. A static program has
 * it linked in: built with -DMEMSWELL_LINK_MHD.
 */
#ifndef MEMSWELL_MHD_H
#define MEMSWELL_MHD_H

#include <microhttpd.h>
#include <stddef.h>

struct mhd {
	struct MHD_Daemon *(*start_daemon)(unsigned int flags, uint16_t port,
					   MHD_AcceptPolicyCallback accept, void *accept_arg,
					   MHD_AccessHandlerCallback handler, void *handler_arg,
					   ...);
	void (*stop_daemon)(struct MHD_Daemon *daemon);
	enum MHD_Result (*run)(struct MHD_Daemon *daemon);
	enum MHD_Result (*get_timeout)(struct MHD_Daemon *daemon, unsigned long long *timeout_ms);
	const union MHD_DaemonInfo *(*get_daemon_info)(struct MHD_Daemon *daemon,
						       enum MHD_DaemonInfoType type, ...);
	const union MHD_ConnectionInfo *(*get_connection_info)(struct MHD_Connection *connection,
							       enum MHD_ConnectionInfoType type,
							       ...);
	const char *(*lookup_connection_value)(struct MHD_Connection *connection,
					       enum MHD_ValueKind kind, const char *key);
	struct MHD_Response *(*response_with_free)(size_t size, const void *buffer,
						   MHD_ContentReaderFreeCallback free,
						   void *free_arg);
	enum MHD_Result (*add_response_header)(struct MHD_Response *response, const char *name,
					       const char *value);
	enum MHD_Result (*queue_response)(struct MHD_Connection *connection, unsigned int status,
					  struct MHD_Response *response);
	void (*destroy_response)(struct MHD_Response *response);
};

/* 0, or -ENOENT with one line in `error`. */
int mhd_load(struct mhd *out, char *error, size_t error_size);

#endif
