/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verifier.bpf.h - what keeps verifiers from following the same code from too many states; to the
 * CPU it does nothing. The other means to that end is a global function, which they look at once,
 * not once for each way that leads there; before 5.12 it takes no pointer but the context.
 */
#ifndef MEMSWELL_VERIFIER_BPF_H
#define MEMSWELL_VERIFIER_BPF_H

/*
 * Makes a verifier forget what it knows of a number on this way, so that ways that only differ in
 * that meet again, and what follows is looked at once instead of once for each. Two instructions of
 * the CPU's; `unknown` is any number that the verifier does not know.
 */
#define verifier_forget(number, unknown)                                                           \
	do {                                                                                       \
		__u64 one_ = (unknown), other_ = one_;                                             \
		barrier_var(other_);                                                               \
		(number) += one_ - other_;                                                         \
	} while (0)

#endif
