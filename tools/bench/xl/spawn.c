// SPDX-License-Identifier: Apache-2.0
/*
 * spawn N PROGRAM [ARGUMENT...]: N times fork, exec, exit and wait, one after
 * the other. Ends with 1 as soon as one did not go well.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int left = argc > 2 ? atoi(argv[1]) : -1;

	if (left < 0)
		return 2;
	while (left-- > 0) {
		pid_t child = fork();
		int status = 1;

		if (child == 0) {
			execv(argv[2], argv + 2);
			_exit(127);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			return 1;
	}
	return 0;
}
