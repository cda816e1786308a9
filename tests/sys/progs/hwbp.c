/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * hwbp: hardware breakpoints and watchpoints, as a debugger uses them.
 *
 * For each CPU: a child pinned to it calls a function that has a hardware
 * breakpoint and writes a variable that has a watchpoint, both set through
 * ptrace. Each must stop the child once, at the right address. A hypervisor
 * must give a guest the debug registers, and keep those of two guests apart.
 * Prints one line, PASS or FAIL; ends with 0 or 1.
 */
#define _GNU_SOURCE
#include <asm/ptrace.h>
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CTRL_ENABLE     (1u << 0)
#define CTRL_EL0        (2u << 1)
#define CTRL_STORE      (2u << 3)
#define CTRL_BYTES(n)   (((1u << (n)) - 1) << 5)

static volatile uint64_t watched;

static void fail(int cpu, const char *what)
{
	printf("hwbp: FAIL: CPU %d: %s\n", cpu, what);
	exit(1);
}

__attribute__((noinline)) static void target(void)
{
	__asm__ volatile("nop");
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		_exit(2);
	}
}

static void child(int cpu)
{
	pin(cpu);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	target();
	watched = 42;
	_exit(0);
}

/*
 * Sets slot 0 of a kind (NT_ARM_HW_BREAK or NT_ARM_HW_WATCH); ctrl 0 clears
 * it. Gives the number of slots, or 0.
 */
static int set_slot(pid_t pid, int kind, uint64_t addr, uint32_t ctrl)
{
	struct user_hwdebug_state state;
	struct iovec iov = { &state, sizeof(state) };
	int slots;

	if (ptrace(PTRACE_GETREGSET, pid, kind, &iov)) {
		return 0;
	}
	slots = state.dbg_info & 0xff;
	memset(&state, 0, sizeof(state));
	state.dbg_regs[0].addr = addr;
	state.dbg_regs[0].ctrl = ctrl;
	iov.iov_len = (size_t)((char *)&state.dbg_regs[1] - (char *)&state);
	if (ptrace(PTRACE_SETREGSET, pid, kind, &iov)) {
		return 0;
	}
	return slots;
}

/* Lets the child run on; it must stop by a hardware debug event at addr. */
static void expect_stop(int cpu, pid_t pid, uint64_t addr, const char *what)
{
	siginfo_t info;
	int status;

	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
		fail(cpu, what);
	}
	if (ptrace(PTRACE_GETSIGINFO, pid, 0, &info) ||
	    info.si_code != TRAP_HWBKPT) {
		fail(cpu, "stopped, but not by the hardware");
	}
	if ((uintptr_t)info.si_addr != addr) {
		fail(cpu, "stopped at another address");
	}
}

/* Tries one CPU; gives 0 when the process may not run there. */
static int try_cpu(int cpu, int *breaks, int *watches)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		child(cpu);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
		return 0;
	}
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);

	*breaks = set_slot(pid, NT_ARM_HW_BREAK, (uintptr_t)target,
			   CTRL_ENABLE | CTRL_EL0 | CTRL_BYTES(4));
	if (!*breaks) {
		fail(cpu, "the kernel takes no hardware breakpoint");
	}
	expect_stop(cpu, pid, (uintptr_t)target,
		    "the breakpoint did not stop the child");
	set_slot(pid, NT_ARM_HW_BREAK, 0, 0);

	*watches = set_slot(pid, NT_ARM_HW_WATCH, (uintptr_t)&watched,
			    CTRL_ENABLE | CTRL_EL0 | CTRL_STORE |
				    CTRL_BYTES(8));
	if (!*watches) {
		fail(cpu, "the kernel takes no watchpoint");
	}
	expect_stop(cpu, pid, (uintptr_t)&watched,
		    "the watchpoint did not stop the child");
	set_slot(pid, NT_ARM_HW_WATCH, 0, 0);

	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fail(cpu, "the child did not end well");
	}
	return 1;
}

int main(void)
{
	int cpus = 0, breaks = 0, watches = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (int cpu = 0; cpu < 64; cpu++) {
		cpus += try_cpu(cpu, &breaks, &watches);
	}
	printf("hwbp: PASS: %d CPUs, %d breakpoints and %d watchpoints each\n",
	       cpus, breaks, watches);
	return 0;
}
