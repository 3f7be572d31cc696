/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* state_file.c - see state_file.h. */
#include "source/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Changes with every change of struct run_state: what an older version left counts as damaged. */
#define MAGIC 0x31305354574d454dULL

struct slot {
	uint64_t magic;
	uint64_t number;   /* the higher one is newer */
	uint64_t checksum; /* of number and the used part of the state */
	struct run_state state;
};

struct state_file {
	int fd;
	uint64_t number;
	struct slot *slots; /* two, mapped */
};

#define FILE_BYTES (2 * sizeof(struct slot))

/* A run that was killed lets go of its lock last, after all its hooks. */
#define LOCK_WAIT_MS 3000
#define LOCK_STEP_MS 20
#define PEEK_TRIES   3

static size_t used_bytes(const struct run_state *state)
{
	return offsetof(struct run_state, served) + state->nr_served * sizeof(state->served[0]);
}

/* FNV-1a by words: against tearing and decay, not against malice, for only root can write. */
static uint64_t checksum(const struct slot *slot)
{
	const char *bytes = (const char *)&slot->state;
	size_t size = used_bytes(&slot->state);
	uint64_t hash = 0xcbf29ce484222325ULL ^ slot->number, word;

	for (size_t i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3ULL;
		hash ^= hash >> 32;
	}
	return hash;
}
_Static_assert(offsetof(struct run_state, served) % 8 == 0 && sizeof(struct served) % 8 == 0,
	       "the used part is whole words");

static void terminate(struct run_state *state)
{
	state->boot_id[sizeof(state->boot_id) - 1] = '\0';
	for (uint32_t i = 0; i < state->nr_incidents; i++)
		state->incidents[i][sizeof(state->incidents[i]) - 1] = '\0';
	for (uint32_t i = 0; i < state->nr_served; i++)
		state->served[i].comm[sizeof(state->served[i].comm) - 1] = '\0';
}

static bool is_whole(const struct slot *slot)
{
	return slot->magic == MAGIC && slot->state.nr_served <= RUN_STATE_SERVED &&
	       slot->state.nr_incidents <= RUN_STATE_INCIDENTS && slot->checksum == checksum(slot);
}

/* The newest whole slot. A file of zeros is new. */
static enum state_found read_slots(struct state_file *file, bool is_new, struct run_state *out)
{
	const struct slot *newest = NULL;
	bool is_blank = true;

	for (int i = 0; i < 2; i++) {
		const struct slot *slot = &file->slots[i];

		is_blank &= !slot->magic && !slot->number;
		if (is_whole(slot) && (!newest || slot->number > newest->number))
			newest = slot;
	}
	if (!newest)
		return is_new || is_blank ? STATE_FOUND_NONE : STATE_FOUND_DAMAGED;
	*out = newest->state;
	file->number = newest->number;
	terminate(out);
	return STATE_FOUND_RUN;
}

/* A plain file of our own that nobody else can write, or have a second name for. */
static int check_owner(const struct stat *st)
{
	bool is_ours = S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1;

	return is_ours && !(st->st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static int lock_file(int fd)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (i == LOCK_WAIT_MS / LOCK_STEP_MS)
			return -EBUSY;
		nanosleep(&step, NULL);
	}
	return 0;
}

/* Room is taken now: a hole in a full file system would be a SIGBUS later. */
static int prepare(struct state_file *file, bool *is_new, bool *is_odd)
{
	struct stat st;
	void *slots;
	int err;

	if (fstat(file->fd, &st))
		return -errno;
	err = check_owner(&st);
	if (!err)
		err = lock_file(file->fd);
	if (err)
		return err;
	if (fstat(file->fd, &st)) /* as whoever had it left it */
		return -errno;
	*is_new = st.st_size == 0;
	*is_odd = st.st_size != 0 && st.st_size != (off_t)FILE_BYTES;
	if (*is_odd && ftruncate(file->fd, 0))
		return -errno;
	err = posix_fallocate(file->fd, 0, FILE_BYTES);
	if (err)
		return -err;
	slots = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (slots == MAP_FAILED)
		return -errno;
	file->slots = slots;
	return 0;
}

int state_file_open(const char *path, struct state_file **out, struct run_state *earlier,
		    enum state_found *found)
{
	struct state_file *file = calloc(1, sizeof(*file));
	bool is_new = false, is_odd = false;
	int err;

	if (!file)
		return -ENOMEM;
	file->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0640);
	err = file->fd < 0 ? -errno : prepare(file, &is_new, &is_odd);
	if (err) {
		state_file_close(file);
		return err;
	}
	*found = is_odd ? STATE_FOUND_DAMAGED : read_slots(file, is_new, earlier);
	*out = file;
	return 0;
}

/* A slot may change while it is read: then the other one is whole, or the next reading is. */
static int peek_slots(int fd, struct run_state *out)
{
	struct slot *slots = malloc(FILE_BYTES);
	struct state_file file = {.fd = fd, .slots = slots};
	int err = slots ? -ENODATA : -ENOMEM;

	for (int i = 0; i < PEEK_TRIES && err == -ENODATA; i++) {
		if (pread(fd, slots, FILE_BYTES, 0) != (ssize_t)FILE_BYTES)
			break;
		if (read_slots(&file, true, out) == STATE_FOUND_RUN)
			err = 0;
	}
	free(slots);
	return err;
}

int state_file_peek(const char *path, struct run_state *out)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : check_owner(&st);
	if (!err)
		err = peek_slots(fd, out);
	close(fd);
	return err;
}

void state_file_write(struct state_file *file, const struct run_state *state)
{
	struct slot *slot = &file->slots[++file->number % 2];

	/* Whoever is killed from here on leaves this slot without a number that fits. */
	slot->magic = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memcpy(&slot->state, state, used_bytes(state));
	slot->number = file->number;
	slot->checksum = checksum(slot);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->magic = MAGIC;
}

void state_file_close(struct state_file *file)
{
	if (!file)
		return;
	if (file->slots)
		munmap(file->slots, FILE_BYTES);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}
