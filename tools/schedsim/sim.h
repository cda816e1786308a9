/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulkhead-schedsim: the hypervisor's scheduler, compiled for this machine,
 * under a description of CPUs, vCPUs and what they have to do. All times are
 * nanoseconds; the description's have units.
 */
#ifndef SCHEDSIM_SIM_H
#define SCHEDSIM_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <hv/sched.h>

#define SIM_MAX_VCPUS 256u
#define SIM_NEVER     UINT64_MAX

enum load { LOAD_NONE, LOAD_BUSY, LOAD_EVERY, LOAD_SPORADIC };

struct sim_vcpu {
	char name[32];
	enum load load;
	uint64_t every_ns; /* between jobs; sporadic: at least */
	uint64_t work_ns;  /* of one job */
	uint64_t from_ns;  /* the first job, or when a busy one starts */
	uint64_t within_ns; /* deadline of a job after its release */
	uint64_t cpus;	    /* bitmap; 0: all */
	struct sched_params params;
	bool has_params;
	uint32_t line; /* of the description */

	/* While it runs. */
	struct vcpu *v;
	uint64_t next_ns; /* release of the next job */
	uint64_t left_ns; /* of the job that is being done */
	uint64_t nr_released, nr_done, nr_missed;
	uint64_t worst_ns, total_ns; /* responses of those done */
	uint64_t *release;	     /* of each job */
	uint64_t ran_ns;
};

struct sim_window {
	uint32_t vcpu; /* UINT32_MAX: nobody */
	uint16_t cpu;
	uint64_t ns;
};

/* What @vcpu did: it had @cpu from @begin_ns to @end_ns. */
struct sim_slice {
	uint64_t begin_ns, end_ns;
	uint32_t vcpu;
	uint16_t cpu;
};

struct sim {
	const char *file;
	char policy[16];
	uint16_t nr_cpus;
	uint64_t time_ns;
	uint64_t seed;
	uint64_t frame_ns;
	uint32_t nr_windows, frame_line;
	struct sim_window window[64];
	uint32_t nr_vcpus;
	struct sim_vcpu vcpu[SIM_MAX_VCPUS];
	size_t nr_slices, room;
	struct sim_slice *slice;
};

/* The description at @line is wrong: say what, and the cure; exits with 2. */
void __attribute__((noreturn, format(printf, 3, 4)))
sim_error(const struct sim *s, uint32_t line, const char *fmt, ...);

/* read.c */
void sim_read(struct sim *s);
/* run.c: from 0 to s->time_ns */
void sim_run(struct sim *s);
/* report.c */
void sim_print_schedule(const struct sim *s, FILE *to);
void sim_print_summary(const struct sim *s, FILE *to);
bool sim_has_missed(const struct sim *s);
/* svg.c */
void sim_draw(const struct sim *s, FILE *to);

/* ---- world.c: the hypervisor around its scheduler ------------------------ */
void world_start(uint16_t nr_cpus, const char *policy);
struct vcpu *world_vcpu(void); /* the next one, offline */
/* The calls that follow are made on that CPU. */
void world_on_cpu(uint32_t cpu);
/* Due timers and work of all CPUs, until none has any. */
void world_settle(void);
extern uint64_t fake_time_ns; /* now */
extern char world_reason[256]; /* the hypervisor's last warning */

#endif
