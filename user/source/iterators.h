/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* iterators.h - run a BPF iterator once and cut what it wrote into wire records. */
#ifndef MEMSWELL_ITERATORS_H
#define MEMSWELL_ITERATORS_H

#include <stddef.h>

struct bpf_link;

typedef void (*iterator_fn)(void *arg, const void *record, size_t size);

/* 0, or -errno; -EBADMSG if the stream is not made of wire records. */
int iterator_run(const struct bpf_link *link, iterator_fn fn, void *arg);

/* As iterator_run, reading from `fd`. */
int iterator_read(int fd, iterator_fn fn, void *arg);

#endif
