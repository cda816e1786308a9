/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * hello32: a 32-bit Arm program; a hypervisor must let the guest's kernel run
 * it. Integer, floating point and system calls must work. Prints one line,
 * PASS or FAIL; ends with 0 or 1.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 4, "this program is for a 32-bit machine");

static volatile sig_atomic_t rang;

static void ring(int number)
{
	(void)number;
	rang = 1;
}

/*
 * pi / 4 = 1 - 1/3 + 1/5 - ..., to about 6 digits: exact enough to see
 * registers go wrong.
 */
static double leibniz(int terms)
{
	volatile double sum = 0;

	for (int i = 0; i < terms; i++) {
		sum += (i % 2 ? -1.0 : 1.0) / (2 * i + 1);
	}
	return sum * 4;
}

int main(void)
{
	struct utsname name;
	double pi = leibniz(1000000);
	sigset_t alone, before;

	signal(SIGALRM, ring);
	sigemptyset(&alone);
	sigaddset(&alone, SIGALRM);
	/* It rings in sigsuspend() only, also when we get there late. */
	sigprocmask(SIG_BLOCK, &alone, &before);
	alarm(1);
	while (!rang) {
		sigsuspend(&before);
	}
	personality(PER_LINUX32);
	if (uname(&name) || pi < 3.141591 || pi > 3.141593) {
		printf("hello32: FAIL: pi is %f\n", pi);
		return 1;
	}
	printf("hello32: PASS: %s\n", name.machine);
	return 0;
}
