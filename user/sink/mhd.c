/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* mhd.c - see mhd.h. */
#include "sink/mhd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifdef MEMSWELL_LINK_MHD

/* The buffer is const from version 1.0 on. */
static struct MHD_Response *response_with_free(size_t size, const void *buffer,
					       MHD_ContentReaderFreeCallback free, void *free_arg)
{
	return MHD_create_response_from_buffer_with_free_callback_cls(size, (void *)buffer, free,
								      free_arg);
}

int mhd_load(struct mhd *out, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	*out = (struct mhd){
		.start_daemon = MHD_start_daemon,
		.stop_daemon = MHD_stop_daemon,
		.run = MHD_run,
		.get_timeout = MHD_get_timeout,
		.get_daemon_info = MHD_get_daemon_info,
		.get_connection_info = MHD_get_connection_info,
		.lookup_connection_value = MHD_lookup_connection_value,
		.response_with_free = response_with_free,
		.add_response_header = MHD_add_response_header,
		.queue_response = MHD_queue_response,
		.destroy_response = MHD_destroy_response,
	};
	return 0;
}

#else

/* The interface that microhttpd.h describes; other versions of it have other names. */
static const char *const libraries[] = {"libmicrohttpd.so.12"};

static void *open_library(void)
{
	void *library = NULL;

	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]) && !library; i++)
		library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

int mhd_load(struct mhd *out, char *error, size_t error_size)
{
	struct mhd mhd;
	const struct {
		const char *name;
		void *to;
	} functions[] = {
		{"MHD_start_daemon", &mhd.start_daemon},
		{"MHD_stop_daemon", &mhd.stop_daemon},
		{"MHD_run", &mhd.run},
		{"MHD_get_timeout", &mhd.get_timeout},
		{"MHD_get_daemon_info", &mhd.get_daemon_info},
		{"MHD_get_connection_info", &mhd.get_connection_info},
		{"MHD_lookup_connection_value", &mhd.lookup_connection_value},
		{"MHD_create_response_from_buffer_with_free_callback_cls", &mhd.response_with_free},
		{"MHD_add_response_header", &mhd.add_response_header},
		{"MHD_queue_response", &mhd.queue_response},
		{"MHD_destroy_response", &mhd.destroy_response},
	};
	void *library = open_library();

	if (!library) {
		snprintf(error, error_size,
			 "cannot load libmicrohttpd (package libmicrohttpd12): %s", dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function) {
			snprintf(error, error_size, "libmicrohttpd lacks %s", functions[i].name);
			return -ENOENT;
		}
		/* The representation of a pointer to a function, as POSIX has it for dlsym(). */
		memcpy(functions[i].to, &function, sizeof(function));
	}
	*out = mhd;
	return 0;
}

#endif
