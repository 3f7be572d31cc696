/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_server.c - see metrics_server.h. HTTP is libmicrohttpd's; this says what is answered, and
 * sees to it that nobody holds a connection or an answer for long.
 */
#include "sink/metrics_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sink/mhd.h"

#define MAX_CONNECTIONS	  8
#define MAX_ANSWERS	  3
#define CONNECTION_MS	  10000
#define IDLE_S		  5
#define CONNECTION_MEMORY 16384
/* Rounds of the library in one run: enough to write an answer into a pipe that takes it. */
#define MAX_ROUNDS 256

struct answer {
	struct metrics_server *server; /* NULL: unused */
	unsigned int refs;	       /* responses that read it, and one while it is the newest */
	size_t len;
	char *data;
};

struct client {
	struct MHD_Connection *connection; /* NULL: unused */
	int64_t since_ms;
};

struct metrics_server {
	struct mhd mhd;
	struct metrics_server_options options;
	struct metrics_listener_socket socket;
	struct MHD_Daemon *daemon;
	int epoll_fd;
	struct client clients[MAX_CONNECTIONS];
	struct answer answers[MAX_ANSWERS];
	struct answer *newest[NR_METRICS_FORMATS]; /* of this turn */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Answers -------------------------------------------------------------------------------------- */

static void put_answer(void *arg)
{
	struct answer *answer = arg;

	if (--answer->refs)
		return;
	free(answer->data);
	memset(answer, 0, sizeof(*answer));
}

static struct answer *free_answer(struct metrics_server *s)
{
	for (int i = 0; i < MAX_ANSWERS; i++)
		if (!s->answers[i].server)
			return &s->answers[i];
	return NULL;
}

/* NULL without room or memory. Pages that are not written to take none. */
static struct answer *make_answer(struct metrics_server *s, enum metrics_format format)
{
	struct answer *answer = free_answer(s);
	char *data = answer ? malloc(METRICS_ANSWER_MAX) : NULL;

	if (!data)
		return NULL;
	s->options.look(s->options.arg);
	answer->server = s;
	answer->refs = 1;
	answer->data = data;
	answer->len = metrics_render(s->options.metrics, format, data, METRICS_ANSWER_MAX);
	return answer;
}

static void drop_newest(struct metrics_server *s)
{
	for (int i = 0; i < NR_METRICS_FORMATS; i++) {
		if (s->newest[i])
			put_answer(s->newest[i]);
		s->newest[i] = NULL;
	}
}

/* Requests ------------------------------------------------------------------------------------- */

static const char *const content_types[NR_METRICS_FORMATS] = {
	[METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
	[METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/* Takes the response over. */
static enum MHD_Result reply(const struct metrics_server *s, struct MHD_Connection *connection,
			     unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	s->mhd.add_response_header(response, "Connection", "close");
	result = s->mhd.queue_response(connection, status, response);
	s->mhd.destroy_response(response);
	return result;
}

static void keep(void *arg)
{
	(void)arg;
}

static enum MHD_Result reply_text(const struct metrics_server *s, struct MHD_Connection *connection,
				  unsigned int status, const char *text)
{
	struct MHD_Response *response = s->mhd.response_with_free(strlen(text), text, keep, NULL);

	if (!response)
		return MHD_NO;
	s->mhd.add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		s->mhd.add_response_header(response, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		s->mhd.add_response_header(response, "Retry-After", "1");
	return reply(s, connection, status, response);
}

static enum MHD_Result reply_metrics(struct metrics_server *s, struct MHD_Connection *connection)
{
	enum metrics_format format = metrics_format_of(
		s->mhd.lookup_connection_value(connection, MHD_HEADER_KIND, "Accept"));
	struct MHD_Response *response;
	struct answer *answer;

	if (!s->newest[format])
		s->newest[format] = make_answer(s, format);
	answer = s->newest[format];
	if (!answer)
		return reply_text(s, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				  "busy: too many slow readers\n");
	response = s->mhd.response_with_free(answer->len, answer->data, put_answer, answer);
	if (!response)
		return MHD_NO;
	answer->refs++;
	s->mhd.add_response_header(response, "Content-Type", content_types[format]);
	return reply(s, connection, MHD_HTTP_OK, response);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static int seen;
	struct metrics_server *s = arg;

	(void)version;
	(void)upload;
	/* The first call tells of the headers alone; what is uploaded is thrown away. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply_text(s, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				  "expected GET or HEAD\n");
	if (strcmp(url, "/metrics") != 0)
		return reply_text(s, connection, MHD_HTTP_NOT_FOUND, "expected /metrics\n");
	return reply_metrics(s, connection);
}

/* Connections ---------------------------------------------------------------------------------- */

static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
			  enum MHD_ConnectionNotificationCode what)
{
	struct metrics_server *s = arg;
	struct MHD_Connection *wanted = what == MHD_CONNECTION_NOTIFY_STARTED ? NULL : connection;

	(void)state;
	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		if (s->clients[i].connection != wanted)
			continue;
		s->clients[i].connection = wanted ? NULL : connection;
		s->clients[i].since_ms = now_ms();
		return;
	}
}

/* The library notices by itself who is silent, but not who goes on for ever. */
static void cut_off(struct metrics_server *s)
{
	int64_t now = now_ms();

	for (int i = 0; i < MAX_CONNECTIONS; i++) {
		struct client *client = &s->clients[i];
		const union MHD_ConnectionInfo *info;

		if (!client->connection || now - client->since_ms < CONNECTION_MS)
			continue;
		info = s->mhd.get_connection_info(client->connection,
						  MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}

/* Life ----------------------------------------------------------------------------------------- */

void metrics_server_run(struct metrics_server *s)
{
	unsigned long long timeout_ms = 0;

	for (int i = 0; i < MAX_ROUNDS; i++) {
		s->mhd.run(s->daemon);
		if (s->mhd.get_timeout(s->daemon, &timeout_ms) != MHD_YES || timeout_ms)
			return;
	}
}

void metrics_server_turn(struct metrics_server *s)
{
	drop_newest(s);
	cut_off(s);
	metrics_server_run(s);
}

static int start(struct metrics_server *s, char *error, size_t error_size)
{
	const union MHD_DaemonInfo *info;

	s->daemon = s->mhd.start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, s->socket.fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		s, MHD_OPTION_END);
	info = s->daemon ? s->mhd.get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		snprintf(error, error_size, "libmicrohttpd does not start");
		return -EIO;
	}
	s->socket.fd = -1; /* the daemon's */
	s->epoll_fd = info->epoll_fd;
	return 0;
}

int metrics_server_new(const struct metrics_server_options *options, struct metrics_server **out,
		       char *error, size_t error_size)
{
	struct metrics_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	s->options = *options;
	s->socket.fd = s->socket.dir_fd = -1;
	err = mhd_load(&s->mhd, error, error_size);
	if (!err)
		err = metrics_address_listen(&options->address, &s->socket, error, error_size);
	if (!err)
		err = start(s, error, error_size);
	if (err)
		metrics_server_free(s);
	else
		*out = s;
	return err;
}

void metrics_server_free(struct metrics_server *s)
{
	if (!s)
		return;
	if (s->daemon)
		s->mhd.stop_daemon(s->daemon);
	drop_newest(s);
	metrics_address_close(&s->socket);
	free(s);
}

int metrics_server_fd(const struct metrics_server *s)
{
	return s->epoll_fd;
}

int metrics_server_dir_fd(const struct metrics_server *s)
{
	return s->socket.dir_fd;
}

size_t metrics_server_memory_ceiling(void)
{
	return sizeof(struct metrics_server) + MAX_CONNECTIONS * CONNECTION_MEMORY +
	       (size_t)MAX_ANSWERS * METRICS_ANSWER_MAX;
}
