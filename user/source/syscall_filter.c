/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * syscall_filter.c - see syscall_filter.h.
 *
 * A refused call shall not end the process, but nor shall it pass unseen. So it traps: the signal's
 * handler counts it and lets the call return EPERM, as if the kernel had said so.
 */
#include "source/syscall_filter.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* Numbers of system calls are below this; others are counted as the last. */
#define MAX_SYSCALLS 512

static volatile uint32_t refused[MAX_SYSCALLS];
static volatile sig_atomic_t any_refused;

static void set_result(ucontext_t *context, int result)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)(long long)result;
#else
#error "where does this architecture return the result of a system call?"
#endif
}

static void on_refused(int signal, siginfo_t *info, void *context)
{
	int nr = info->si_syscall;

	(void)signal;
	refused[nr >= 0 && nr < MAX_SYSCALLS ? nr : MAX_SYSCALLS - 1]++;
	any_refused = 1;
	set_result(context, -EPERM);
}

int syscall_filter_take_refused(uint32_t *count)
{
	if (!any_refused)
		return -1;
	for (int nr = 0; nr < MAX_SYSCALLS; nr++) {
		if (!refused[nr])
			continue;
		*count = refused[nr];
		refused[nr] = 0;
		return nr;
	}
	any_refused = 0;
	return -1;
}

void syscall_filter_name(int nr, char *out, uint32_t out_size)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

	if (name)
		snprintf(out, out_size, "%s", name);
	else
		snprintf(out, out_size, "syscall_%d", nr);
	free(name);
}

static int add_rule(scmp_filter_ctx filter, const struct syscall_rule *rule,
		    const struct syscall_facts *facts)
{
	struct scmp_arg_cmp args[SYSCALL_RULE_ARGS];
	unsigned int nr = 0;
	int syscall = seccomp_syscall_resolve_name(rule->name);

	if (syscall == __NR_SCMP_ERROR)
		return -EINVAL;
	for (; nr < SYSCALL_RULE_ARGS && rule->args[nr].mask; nr++) {
		const struct syscall_arg *arg = &rule->args[nr];
		uint32_t value = arg->fd ? (uint32_t)facts->fds[arg->fd] : arg->value;

		args[nr] = (struct scmp_arg_cmp){.arg = arg->index,
						 .op = SCMP_CMP_MASKED_EQ,
						 .datum_a = arg->mask,
						 .datum_b = value & arg->mask};
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, syscall, nr, args);
}

int syscall_filter_add(void *filter, const struct syscall_rule *rules,
		       const struct syscall_facts *facts)
{
	static const struct syscall_facts none;
	uint32_t when = facts ? facts->when : 0;

	for (const struct syscall_rule *rule = rules; rule->name; rule++) {
		int err;

		if ((rule->when & when) != rule->when)
			continue;
		err = add_rule(filter, rule, facts ? facts : &none);
		if (err)
			return err;
	}
	return 0;
}

static int watch_refused(void)
{
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};

	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

static uint32_t action_of(enum syscall_filter_mode mode)
{
	switch (mode) {
	case SYSCALL_FILTER_LOG:
		return SCMP_ACT_LOG;
	case SYSCALL_FILTER_KILL:
		return SCMP_ACT_KILL_PROCESS;
	default:
		return SCMP_ACT_TRAP;
	}
}

int syscall_filter_install(const struct syscall_rule *rules, const struct syscall_facts *facts,
			   enum syscall_filter_mode mode)
{
	scmp_filter_ctx filter = seccomp_init(action_of(mode));
	int err;

	if (!filter)
		return -ENOMEM;
	err = mode == SYSCALL_FILTER_REFUSE ? watch_refused() : 0;
	/* Also into the kernel's log; and no slower branches, for there is no foreign code here. */
	if (!err)
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (!err)
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	if (!err)
		err = syscall_filter_add(filter, rules, facts);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
