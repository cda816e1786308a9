// SPDX-License-Identifier: Apache-2.0
/*
 * mark N [COMMAND...]: tells the counter of instructions outside the machine
 * (insncount.c) that point N is reached, then becomes the command.
 */
#include <stdlib.h>
#include <unistd.h>

/* HINT #(96 + n): no operation. */
#define MARK(n)                                      \
	case n:                                      \
		__asm__ volatile("hint #(96 + " #n ")"); \
		break

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	switch (atoi(argv[1])) {
	MARK(0);
	MARK(1);
	MARK(2);
	MARK(3);
	MARK(4);
	MARK(5);
	MARK(6);
	MARK(7);
	MARK(8);
	MARK(9);
	MARK(10);
	MARK(11);
	MARK(12);
	MARK(13);
	MARK(14);
	default:
		return 2;
	}
	if (argc == 2)
		return 0;
	execvp(argv[2], argv + 2);
	return 127;
}
