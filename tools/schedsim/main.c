/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-schedsim: what the scheduler does with a load, before a machine is. */
#include "sim.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: bulkhead-schedsim [--quiet] [--svg FILE] DESCRIPTION\n"
	"\n"
	"Runs the scheduler of Bulkhead, the same code, under a description of\n"
	"CPUs, vCPUs and what they have to do; prints who ran when and where,\n"
	"response times and missed deadlines. Deciding and switching take no\n"
	"time here.\n"
	"\n"
	"  --quiet     only the summary\n"
	"  --svg FILE  draw the time line\n"
	"  --help      this\n"
	"\n"
	"Exit status: 0 no deadline missed, 1 some, 2 a mistake.\n"
	"\n"
	"A description has one thing a line; # begins a comment. Times are\n"
	"numbers with ns, us, ms or s.\n"
	"\n"
	"  cpus N                1 to 32; default 1\n"
	"  policy NAME           credit2 (default), rtds, arinc653, null\n"
	"  time T                how long; default 100ms\n"
	"  seed N                of sporadic jobs\n"
	"  vcpu NAME LOAD ...    LOAD is one of\n"
	"      busy              always something to do\n"
	"      every T work T    a job each T that takes that long\n"
	"      sporadic T work T the same at least T apart, at most 2 T\n"
	"    and with it\n"
	"      from T            the first job, or the begin; default 0\n"
	"      within T          deadline of a job; default: T of the load\n"
	"      cpus 0,2-3        where it may run; default anywhere\n"
	"      weight N          credit2: 1 to 65535, default 256\n"
	"      period T budget T rtds: default 10ms and 4ms\n"
	"      extratime         rtds: goes on behind all others\n"
	"  frame T               arinc653: the major frame\n"
	"  window CPU NAME T     arinc653: the next window of that CPU; the\n"
	"                        name - leaves a gap\n";

static struct sim sim = {
	.policy = "credit2",
	.nr_cpus = 1,
	.time_ns = 100000000,
	.seed = 1,
};

static void draw(const char *path)
{
	FILE *to = fopen(path, "w");

	if (!to) {
		fprintf(stderr, "%s: cannot be written; choose another file\n",
			path);
		exit(2);
	}
	sim_draw(&sim, to);
	fclose(to);
}

int main(int argc, char **argv)
{
	static const struct option options_of_ours[] = {
		{"quiet", no_argument, NULL, 'q'},
		{"svg", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *svg = NULL;
	bool quiet = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options_of_ours, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?') {
			return 2; /* getopt_long() said why */
		}
		quiet |= c == 'q';
		svg = c == 's' ? optarg : svg;
	}
	if (optind + 1 != argc) {
		fputs("bulkhead-schedsim: name one description; --help says "
		      "what is in it\n", stderr);
		return 2;
	}
	sim.file = argv[optind];
	sim_read(&sim);
	sim_run(&sim);
	if (!quiet) {
		sim_print_schedule(&sim, stdout);
	}
	sim_print_summary(&sim, stdout);
	if (svg) {
		draw(svg);
	}
	return sim_has_missed(&sim) ? 1 : 0;
}
