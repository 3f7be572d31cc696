/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* process_args.c - see process_args.h. */
#include "source/process_args.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define MIB_SHIFT 20
/* No limit that is meant as one is higher, and nothing below overflows. */
#define MAX_BYTES (1ULL << 56)
/* HotSpot's MaxHeapSize before it looks at the memory: 96 MiB, scaled by 1.3 for 64 bits. */
#define JVM_SMALL_HEAP_BYTES	 ((96ULL << 20) / 10 * 13)
#define JVM_SMALL_RAM_PERCENTAGE 50
/* The rest of a longer word is left out: no option that matters here is as long. */
#define WORD_BYTES 96

/* ---- words ---- */

/* How a text is cut into words. NUL is a blank to all. */
struct dialect {
	const char *blanks;
	const char *quotes;
	bool escapes; /* a backslash, within quotes */
};

static const struct dialect argv_words = {"", "", false};
static const struct dialect node_options_words = {" ", "\"", true};
static const struct dialect java_options_words = {" \t\n\v\f\r", "'\"", false};
static const struct dialect json_words = {",]}", "\"", true};

struct words {
	const char *at;
	const char *end;
	const struct dialect *dialect;
};

static bool next_word(struct words *words, char word[WORD_BYTES])
{
	const struct dialect *dialect = words->dialect;
	size_t len = 0;
	char quote = '\0';

	while (words->at < words->end && strchr(dialect->blanks, *words->at))
		words->at++;
	if (words->at == words->end)
		return false;
	for (; words->at < words->end; words->at++) {
		char c = *words->at;

		if (!quote && strchr(dialect->blanks, c))
			break;
		if (quote ? c == quote : strchr(dialect->quotes, c) != NULL) {
			quote = quote ? '\0' : c;
			continue;
		}
		if (quote && dialect->escapes && c == '\\' && words->at + 1 < words->end)
			c = *++words->at;
		if (len < WORD_BYTES - 1)
			word[len++] = c;
	}
	word[len] = '\0';
	return true;
}

/* The words of the value of an environment variable, the first of that name as getenv(3) has it. */
static bool find_variable(const struct process_args_input *in, const char *name,
			  const struct dialect *dialect, struct words *out)
{
	const char *end = in->env + in->env_len;
	size_t name_len = strlen(name);

	for (const char *at = in->env, *stop; at < end; at = stop + 1) {
		stop = memchr(at, '\0', (size_t)(end - at));
		if (!stop)
			return false;
		if ((size_t)(stop - at) <= name_len || at[name_len] != '=' ||
		    memcmp(at, name, name_len) != 0)
			continue;
		*out = (struct words){at + name_len + 1, stop, dialect};
		return true;
	}
	return false;
}

/* What follows the name of the program; an entry that was cut off is left out. */
static struct words arguments(const struct process_args_input *in)
{
	const char *last = in->args_len ? memrchr(in->args, '\0', in->args_len) : NULL;
	struct words words = {in->args, last ? last : in->args, &argv_words};
	char program[WORD_BYTES];

	(void)next_word(&words, program);
	return words;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "512m", "1G" or, without a unit, a number of 2^shift bytes. */
static bool parse_bytes(const char *text, unsigned int shift, uint64_t *out)
{
	static const char units[] = "kKmMgGtT";
	const char *unit;
	uint64_t value = 0;

	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > MAX_BYTES)
			return false;
	}
	unit = *text && !shift ? strchr(units, *text) : NULL;
	if (unit) {
		shift = 10 * ((unsigned int)(unit - units) / 2 + 1);
		text++;
	}
	if (*text || value > MAX_BYTES >> shift)
		return false;
	*out = value << shift;
	return true;
}

static bool parse_percent(const char *text, double *out)
{
	char *end;
	double value;

	if (!is_digit(*text) || text[strspn(text, "0123456789.")])
		return false;
	value = strtod(text, &end);
	if (*end || value > 100)
		return false;
	*out = value;
	return true;
}

static uint64_t share_of(uint64_t bytes, double percent)
{
	return (uint64_t)((double)(bytes < MAX_BYTES ? bytes : MAX_BYTES) * percent / 100);
}

/* ---- what was told ---- */

struct told {
	uint64_t heap_bytes; /* 0 not told */
	double heap_percent; /* 0 not told */
	uint8_t bytes_source;
	uint8_t percent_source;
	/* of the JVM only */
	uint64_t memory_bytes;
	double small_heap_percent;
	bool exits;
	bool crashes;
	bool leaves_no_core;
};

static void tell_bytes(struct told *told, const char *text, unsigned int shift, uint8_t source)
{
	if (parse_bytes(text, shift, &told->heap_bytes))
		told->bytes_source = source;
}

static void tell_percent(struct told *told, const char *text, uint8_t source)
{
	if (parse_percent(text, &told->heap_percent))
		told->percent_source = source;
}

static void conclude(struct process_args *out, uint64_t bytes, uint8_t source)
{
	out->heap_limit_bytes = bytes;
	out->heap_limit_source = bytes ? source : HEAP_LIMIT_NONE;
}

/* ---- Node.js ---- */

/*
 * Options that take the next word as their value, so that it is not the script. One that is missing
 * here ends the search early: a limit behind it is not seen, a script's own is never taken for it.
 */
static const char *const node_valued[] = {
	"C",
	"conditions",
	"cpu-prof-dir",
	"cpu-prof-interval",
	"cpu-prof-name",
	"debug-port",
	"diagnostic-dir",
	"disable-proto",
	"disable-warning",
	"dns-result-order",
	"e",
	"env-file",
	"env-file-if-exists",
	"eval",
	"experimental-default-type",
	"experimental-loader",
	"heap-prof-dir",
	"heap-prof-interval",
	"heap-prof-name",
	"heapsnapshot-near-heap-limit",
	"heapsnapshot-signal",
	"icu-data-dir",
	"import",
	"input-type",
	"inspect-port",
	"loader",
	"max-http-header-size",
	"max-old-space-size", /* an option of Node.js itself only since version 24 */
	"max-old-space-size-percentage",
	"openssl-config",
	"p",
	"pe",
	"print",
	"r",
	"redirect-warnings",
	"report-dir",
	"report-directory",
	"report-filename",
	"report-signal",
	"require",
	"secure-heap",
	"secure-heap-min",
	"snapshot-blob",
	"stack-trace-limit",
	"title",
	"tls-cipher-list",
	"tls-keylog",
	"trace-event-categories",
	"trace-event-file-pattern",
	"trace-require-module",
	"unhandled-rejections",
	"v8-pool-size",
	"watch-path",
};

static bool takes_value(const char *name)
{
	for (size_t i = 0; i < sizeof(node_valued) / sizeof(node_valued[0]); i++)
		if (strcmp(node_valued[i], name) == 0)
			return true;
	return false;
}

/* "--a_b=100" -> its name as "a-b", and its value; that is NULL without an equals sign. */
static const char *split_option(char *word, char **value)
{
	char *name = word + (word[1] == '-' ? 2 : 1);

	for (*value = name; **value && **value != '='; (*value)++)
		if (**value == '_')
			**value = '-';
	if (**value)
		*(*value)++ = '\0';
	else
		*value = NULL;
	return name;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && strcmp(word, "--") != 0;
}

static void read_node_options(struct words words, uint8_t source, struct told *told)
{
	char word[WORD_BYTES], next[WORD_BYTES], *value;

	while (next_word(&words, word)) {
		const char *name;

		if (!is_option(word)) {
			if (source == HEAP_LIMIT_FLAG)
				return; /* the script; what follows is for it */
			continue;
		}
		name = split_option(word, &value);
		if (!value && takes_value(name))
			value = next_word(&words, next) ? next : NULL;
		if (!value)
			continue;
		if (strcmp(name, "max-old-space-size") == 0)
			tell_bytes(told, *value ? value : "0", MIB_SHIFT, source);
		else if (strcmp(name, "max-old-space-size-percentage") == 0)
			tell_percent(told, value, source);
	}
}

/* The words behind `key` in pm2's description of an app, which a cluster worker gets as JSON. */
static bool find_in_pm2_env(const struct process_args_input *in, const char *key, struct words *out)
{
	const char *at;

	if (!find_variable(in, "pm2_env", &json_words, out))
		return false;
	at = memmem(out->at, (size_t)(out->end - out->at), key, strlen(key));
	if (!at)
		return false;
	out->at = at + strlen(key);
	return true;
}

static void read_node(const struct process_args_input *in, struct process_args *out)
{
	struct told told = {0};
	struct words words;

	if (find_variable(in, "NODE_OPTIONS", &node_options_words, &words))
		read_node_options(words, HEAP_LIMIT_ENV, &told);
	/* pm2 has every app write a title over its arguments. */
	if (find_in_pm2_env(in, "\"node_args\":[", &words)) {
		const char *stop = memchr(words.at, ']', (size_t)(words.end - words.at));

		words.end = stop ? stop : words.at;
		read_node_options(words, HEAP_LIMIT_FLAG, &told);
	}
	read_node_options(arguments(in), HEAP_LIMIT_FLAG, &told);
	if (told.heap_percent > 0)
		conclude(out, share_of(in->memory_bytes, told.heap_percent), told.percent_source);
	else
		conclude(out, told.heap_bytes, told.bytes_source);
}

/* ---- JVM ---- */

enum jvm_option {
	JVM_HEAP,
	JVM_MEMORY,
	JVM_PERCENT,
	JVM_SMALL_PERCENT,
	JVM_EXIT_ON_OOM,
	JVM_CRASH_ON_OOM,
	JVM_CORE_ON_CRASH,
};

static const struct {
	const char *prefix;
	const char *rest; /* of a switch, behind its '+' or '-'; NULL: a value follows */
	enum jvm_option option;
} jvm_options[] = {
	{"-Xmx", NULL, JVM_HEAP},
	{"-XX:MaxHeapSize=", NULL, JVM_HEAP},
	{"-XX:MaxRAM=", NULL, JVM_MEMORY},
	{"-XX:MaxRAMPercentage=", NULL, JVM_PERCENT},
	{"-XX:MinRAMPercentage=", NULL, JVM_SMALL_PERCENT},
	{"-XX:", "ExitOnOutOfMemoryError", JVM_EXIT_ON_OOM},
	{"-XX:", "CrashOnOutOfMemoryError", JVM_CRASH_ON_OOM},
	{"-XX:", "CreateCoredumpOnCrash", JVM_CORE_ON_CRASH},
};

/* Those of the launcher that take the next word as their value. */
static const char *const java_valued[] = {
	"-cp",
	"-classpath",
	"--class-path",
	"-p",
	"--module-path",
	"--upgrade-module-path",
	"--add-modules",
	"--limit-modules",
	"--add-reads",
	"--add-exports",
	"--add-opens",
	"--patch-module",
	"--enable-native-access",
	"--source",
};

static bool java_takes_value(const char *word)
{
	for (size_t i = 0; i < sizeof(java_valued) / sizeof(java_valued[0]); i++)
		if (strcmp(java_valued[i], word) == 0)
			return true;
	return false;
}

static void tell_jvm(struct told *told, enum jvm_option option, const char *value, uint8_t source)
{
	switch (option) {
	case JVM_HEAP:
		tell_bytes(told, value, 0, source);
		break;
	case JVM_MEMORY:
		(void)parse_bytes(value, 0, &told->memory_bytes);
		break;
	case JVM_PERCENT:
		tell_percent(told, value, source);
		break;
	case JVM_SMALL_PERCENT:
		(void)parse_percent(value, &told->small_heap_percent);
		break;
	case JVM_EXIT_ON_OOM:
		told->exits = *value == '+';
		break;
	case JVM_CRASH_ON_OOM:
		told->crashes = *value == '+';
		break;
	case JVM_CORE_ON_CRASH:
		told->leaves_no_core = *value == '-';
		break;
	}
}

static void read_java_option(const char *word, uint8_t source, struct told *told)
{
	for (size_t i = 0; i < sizeof(jvm_options) / sizeof(jvm_options[0]); i++) {
		const char *rest = jvm_options[i].rest;
		size_t len = strlen(jvm_options[i].prefix);

		if (strncmp(word, jvm_options[i].prefix, len) != 0)
			continue;
		if (rest &&
		    ((word[len] != '+' && word[len] != '-') || strcmp(word + len + 1, rest)))
			continue;
		tell_jvm(told, jvm_options[i].option, word + len, source);
		return;
	}
}

static void read_java_options(struct words words, uint8_t source, struct told *told)
{
	char word[WORD_BYTES];

	while (next_word(&words, word)) {
		/* "@file" stands for options in a file. */
		if (word[0] != '-' && word[0] != '@' && source == HEAP_LIMIT_FLAG)
			return; /* the program; what follows is for it */
		if (java_takes_value(word) && !next_word(&words, word))
			return;
		read_java_option(word, source, told);
	}
}

/* Where the small share, half of the memory if nothing is told, is below HotSpot's own default. */
static uint64_t jvm_share(const struct told *told, uint64_t memory_bytes)
{
	uint64_t memory = told->memory_bytes ? told->memory_bytes : memory_bytes;
	uint64_t small = share_of(memory, told->small_heap_percent);
	uint64_t large = share_of(memory, told->heap_percent);

	if (small < JVM_SMALL_HEAP_BYTES)
		return small;
	return large > JVM_SMALL_HEAP_BYTES ? large : JVM_SMALL_HEAP_BYTES;
}

static void read_jvm(const struct process_args_input *in, struct process_args *out)
{
	struct told told = {.small_heap_percent = JVM_SMALL_RAM_PERCENTAGE};
	struct words words;

	if (find_variable(in, "JAVA_TOOL_OPTIONS", &java_options_words, &words))
		read_java_options(words, HEAP_LIMIT_ENV, &told);
	if (find_variable(in, "JDK_JAVA_OPTIONS", &java_options_words, &words))
		read_java_options(words, HEAP_LIMIT_ENV, &told);
	read_java_options(arguments(in), HEAP_LIMIT_FLAG, &told);
	if (find_variable(in, "_JAVA_OPTIONS", &java_options_words, &words))
		read_java_options(words, HEAP_LIMIT_ENV, &told);
	if (told.heap_bytes)
		conclude(out, told.heap_bytes, told.bytes_source);
	else if (told.percent_source && in->memory_bytes)
		conclude(out, jvm_share(&told, in->memory_bytes), told.percent_source);
	/* Crashing comes before exiting; without a core file it is an exit(1) like many. */
	if (told.crashes)
		out->oom_exit = told.leaves_no_core ? OOM_EXIT_NONE : OOM_EXIT_ABORT;
	else if (told.exits)
		out->oom_exit = OOM_EXIT_CODE;
}

/* ---- pm2 ---- */

/* In cluster mode a worker gets pm2_env, in fork mode each fact is a variable of its own. */
uint64_t process_args_supervisor_limit(const char *env, size_t len)
{
	struct process_args_input in = {.env = env, .env_len = len};
	char word[WORD_BYTES];
	uint64_t bytes = 0;
	struct words words;

	if (!find_in_pm2_env(&in, "\"max_memory_restart\":", &words) &&
	    !(find_variable(&in, "pm_id", &argv_words, &words) &&
	      find_variable(&in, "max_memory_restart", &argv_words, &words)))
		return 0;
	if (next_word(&words, word))
		(void)parse_bytes(word, 0, &bytes);
	return bytes;
}

static void read_name(const struct process_args_input *in, struct process_args *out)
{
	char word[WORD_BYTES];
	struct words words = {0};

	if (find_variable(in, "OTEL_SERVICE_NAME", &argv_words, &words))
		out->name_source = NAME_SOURCE_OTEL;
	else if (find_in_pm2_env(in, "\"name\":", &words) ||
		 (find_variable(in, "pm_id", &argv_words, &words) &&
		  find_variable(in, "name", &argv_words, &words)))
		out->name_source = NAME_SOURCE_PM2;
	if (out->name_source && next_word(&words, word))
		utf8_sanitize(out->name, sizeof(out->name), word, strlen(word));
	if (!*out->name)
		out->name_source = NAME_SOURCE_NONE;
}

void process_args_parse(const struct process_args_input *in, struct process_args *out)
{
	memset(out, 0, sizeof(*out));
	if (in->runtime == RUNTIME_NODEJS)
		read_node(in, out);
	else if (in->runtime == RUNTIME_JVM)
		read_jvm(in, out);
	out->supervisor_limit_bytes = process_args_supervisor_limit(in->env, in->env_len);
	read_name(in, out);
}
