/* SPDX-License-Identifier: Apache-2.0 */
/* What came out, as text. */
#include "sim.h"

#define US(ns) ((double)(ns) / 1e3)

/* Slice by slice, in the order in which they began. */
void sim_print_schedule(const struct sim *s, FILE *to)
{
	fprintf(to, "%14s %14s  CPU  vCPU\n", "from us", "to us");
	for (size_t i = 0; i < s->nr_slices; i++) {
		const struct sim_slice *p = &s->slice[i];

		fprintf(to, "%14.3f %14.3f  %3u  %s\n", US(p->begin_ns),
			US(p->end_ns), p->cpu, s->vcpu[p->vcpu].name);
	}
	fputc('\n', to);
}

static void print_jobs(const struct sim_vcpu *v, FILE *to)
{
	if (v->load == LOAD_BUSY) {
		fprintf(to, "%8s %8s %12s %12s %7s\n", "-", "-", "-", "-", "-");
		return;
	}
	fprintf(to, "%8llu %8llu ", (unsigned long long)v->nr_released,
		(unsigned long long)v->nr_done);
	if (v->nr_done) {
		fprintf(to, "%12.3f %12.3f ",
			US(v->total_ns) / (double)v->nr_done, US(v->worst_ns));
	} else {
		fprintf(to, "%12s %12s ", "-", "-");
	}
	fprintf(to, "%7llu\n", (unsigned long long)v->nr_missed);
}

void sim_print_summary(const struct sim *s, FILE *to)
{
	fprintf(to, "%s on %u CPU%s, %.3f us; responses in us\n", s->policy,
		s->nr_cpus, s->nr_cpus == 1 ? "" : "s", US(s->time_ns));
	fprintf(to, "%-16s %14s %7s %8s %8s %12s %12s %7s\n", "vCPU", "ran us",
		"of CPU", "jobs", "done", "mean", "worst", "missed");
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		const struct sim_vcpu *v = &s->vcpu[i];

		fprintf(to, "%-16s %14.3f %6.2f%% ", v->name, US(v->ran_ns),
			100.0 * (double)v->ran_ns / (double)s->time_ns);
		print_jobs(v, to);
	}
}

bool sim_has_missed(const struct sim *s)
{
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		if (s->vcpu[i].nr_missed) {
			return true;
		}
	}
	return false;
}
