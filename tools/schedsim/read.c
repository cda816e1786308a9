/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description: lines of words, `#` begins a comment.
 *   cpus N | policy NAME | time T | seed N | frame T
 *   vcpu NAME LOAD [parameters] | window CPU NAME|- T
 */
#include "sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <lib/bits.h>

#define MAX_WORDS 32
#define US	  UINT64_C(1000)

struct line {
	uint32_t nr;
	uint32_t words;
	uint32_t next; /* the first one not used */
	char *word[MAX_WORDS];
};

void sim_error(const struct sim *s, uint32_t line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", s->file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static const char *take(const struct sim *s, struct line *l, const char *what)
{
	if (l->next == l->words) {
		sim_error(s, l->nr, "\"%s\" wants %s behind it; add it",
			  l->word[l->next - 1], what);
	}
	return l->word[l->next++];
}

static uint64_t take_number(const struct sim *s, struct line *l, uint64_t min,
			    uint64_t max)
{
	const char *text = take(s, l, "a number");
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || n < min || n > max) {
		sim_error(s, l->nr,
			  "\"%s\" is no number from %llu to %llu; write one",
			  text, (unsigned long long)min,
			  (unsigned long long)max);
	}
	return n;
}

static uint64_t unit_of(const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{"ns", 1},
		{"us", US},
		{"ms", 1000 * US},
		{"s", 1000000 * US},
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text, units[i].name) == 0) {
			return units[i].ns;
		}
	}
	return 0;
}

static uint64_t take_time(const struct sim *s, struct line *l, bool may_be_0)
{
	const char *text = take(s, l, "a time");
	char *end;
	double n = strtod(text, &end);
	uint64_t unit = unit_of(end);

	if (*text < '0' || *text > '9' || unit == 0 || n * unit > 1e15 ||
	    (n * unit < 1 && !may_be_0)) {
		sim_error(s, l->nr,
			  "\"%s\" is no time; write it like 20us, 1.5ms or 2s",
			  text);
	}
	return (uint64_t)(n * unit + 0.5);
}

/* A period or budget: whole microseconds, as a toolstack gives them. */
static uint32_t take_us(const struct sim *s, struct line *l)
{
	uint64_t ns = take_time(s, l, false);

	if (ns % US || ns / US > UINT32_MAX) {
		sim_error(s, l->nr, "\"%s\" is not whole microseconds, as the "
			  "hypervisor has them; round it", l->word[l->next - 1]);
	}
	return (uint32_t)(ns / US);
}

/* 0,2-3 */
static uint64_t take_cpus(const struct sim *s, struct line *l)
{
	const char *text = take(s, l, "CPUs");
	const char *p = text;
	uint64_t map = 0;

	for (;;) {
		char *end;
		uint64_t first = strtoull(p, &end, 10);
		uint64_t last = first;

		if (end != p && *end == '-') {
			p = end + 1;
			last = strtoull(p, &end, 10);
		}
		if (end == p || last < first || last >= NR_CPUS ||
		    (*end && *end != ',')) {
			sim_error(s, l->nr, "\"%s\" is no list of CPUs; write "
				  "it like 0 or 0,2-3", text);
		}
		for (; first <= last; first++) {
			map |= BIT64(first);
		}
		if (!*end) {
			return map;
		}
		p = end + 1;
	}
}

static uint32_t find(const struct sim *s, const char *name)
{
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		if (strcmp(s->vcpu[i].name, name) == 0) {
			return i;
		}
	}
	return UINT32_MAX;
}

/* ---- vcpu ---------------------------------------------------------------- */

static void set_load(const struct sim *s, const struct line *l,
		     struct sim_vcpu *v, enum load load)
{
	if (v->load != LOAD_NONE) {
		sim_error(s, l->nr, "\"%s\" has a load already; leave one out",
			  v->name);
	}
	v->load = load;
}

static bool read_load(const struct sim *s, struct line *l, struct sim_vcpu *v,
		      const char *key)
{
	if (strcmp(key, "busy") == 0) {
		set_load(s, l, v, LOAD_BUSY);
	} else if (strcmp(key, "every") == 0) {
		set_load(s, l, v, LOAD_EVERY);
		v->every_ns = take_time(s, l, false);
	} else if (strcmp(key, "sporadic") == 0) {
		set_load(s, l, v, LOAD_SPORADIC);
		v->every_ns = take_time(s, l, false);
	} else if (strcmp(key, "work") == 0) {
		v->work_ns = take_time(s, l, false);
	} else if (strcmp(key, "from") == 0) {
		v->from_ns = take_time(s, l, true);
	} else if (strcmp(key, "within") == 0) {
		v->within_ns = take_time(s, l, false);
	} else {
		return false;
	}
	return true;
}

static bool read_params(const struct sim *s, struct line *l,
			struct sim_vcpu *v, const char *key)
{
	if (strcmp(key, "cpus") == 0) {
		v->cpus = take_cpus(s, l);
		return true;
	}
	v->has_params = true;
	if (strcmp(key, "weight") == 0) {
		v->params.weight =
			(uint32_t)take_number(s, l, 1, SCHED_WEIGHT_MAX);
	} else if (strcmp(key, "period") == 0) {
		v->params.period_us = take_us(s, l);
	} else if (strcmp(key, "budget") == 0) {
		v->params.budget_us = take_us(s, l);
	} else if (strcmp(key, "extratime") == 0) {
		v->params.extratime = true;
	} else {
		return false;
	}
	return true;
}

static void check_vcpu(const struct sim *s, const struct line *l,
		       struct sim_vcpu *v)
{
	bool has_jobs = v->load == LOAD_EVERY || v->load == LOAD_SPORADIC;

	if (v->load == LOAD_NONE) {
		sim_error(s, l->nr, "\"%s\" has nothing to do; write busy, "
			  "every T work T or sporadic T work T", v->name);
	}
	if (has_jobs != (v->work_ns != 0)) {
		sim_error(s, l->nr, "\"%s\": \"work\" belongs to \"every\" and "
			  "\"sporadic\"; %s it", v->name,
			  has_jobs ? "add" : "remove");
	}
	if (v->within_ns == 0) {
		v->within_ns = v->every_ns;
	}
}

static void read_vcpu(struct sim *s, struct line *l)
{
	struct sim_vcpu *v = &s->vcpu[s->nr_vcpus];
	const char *name = take(s, l, "a name");

	if (s->nr_vcpus == SIM_MAX_VCPUS) {
		sim_error(s, l->nr, "more than %u vCPUs; leave some out",
			  SIM_MAX_VCPUS);
	}
	if (strlen(name) >= sizeof(v->name) ||
	    find(s, name) != UINT32_MAX || strcmp(name, "-") == 0) {
		sim_error(s, l->nr, "\"%s\" is too long or taken; choose "
			  "another name", name);
	}
	strcpy(v->name, name);
	v->params = (struct sched_params){
		.weight = SCHED_WEIGHT_DEFAULT,
		.period_us = SCHED_PERIOD_US_DEFAULT,
		.budget_us = SCHED_BUDGET_US_DEFAULT,
	};
	v->line = l->nr;
	while (l->next < l->words) {
		const char *key = take(s, l, "");

		if (!read_load(s, l, v, key) && !read_params(s, l, v, key)) {
			sim_error(s, l->nr, "\"%s\" is nothing that a vCPU "
				  "has; --help names what is", key);
		}
	}
	check_vcpu(s, l, v);
	s->nr_vcpus++;
}

/* ---- the other lines ----------------------------------------------------- */

static void read_window(struct sim *s, struct line *l)
{
	struct sim_window *w = &s->window[s->nr_windows];
	const char *name;

	if (s->nr_windows == ARRAY_SIZE(s->window)) {
		sim_error(s, l->nr, "more than 64 windows; leave some out");
	}
	w->cpu = (uint16_t)take_number(s, l, 0, NR_CPUS - 1);
	name = take(s, l, "a vCPU, or - for nobody");
	w->vcpu = find(s, name);
	if (w->vcpu == UINT32_MAX && strcmp(name, "-") != 0) {
		sim_error(s, l->nr, "no vCPU is called \"%s\"; describe it "
			  "before its windows", name);
	}
	w->ns = take_time(s, l, false);
	s->nr_windows++;
}

static void read_line(struct sim *s, struct line *l)
{
	const char *key = take(s, l, "");

	if (strcmp(key, "cpus") == 0) {
		s->nr_cpus = (uint16_t)take_number(s, l, 1, NR_CPUS);
	} else if (strcmp(key, "policy") == 0) {
		const char *name = take(s, l, "a name");

		if (!sched_policy_by_name(name)) {
			sim_error(s, l->nr, "no policy is called \"%s\"; write "
				  "credit2, rtds, arinc653 or null", name);
		}
		snprintf(s->policy, sizeof(s->policy), "%s", name);
	} else if (strcmp(key, "time") == 0) {
		s->time_ns = take_time(s, l, false);
	} else if (strcmp(key, "seed") == 0) {
		s->seed = take_number(s, l, 0, UINT64_MAX);
	} else if (strcmp(key, "frame") == 0) {
		s->frame_ns = take_time(s, l, false);
		s->frame_line = l->nr;
	} else if (strcmp(key, "window") == 0) {
		read_window(s, l);
	} else if (strcmp(key, "vcpu") == 0) {
		read_vcpu(s, l);
	} else {
		sim_error(s, l->nr, "no line begins with \"%s\"; --help names "
			  "what does", key);
	}
	if (l->next != l->words) {
		sim_error(s, l->nr, "\"%s\" is too much; remove it",
			  l->word[l->next]);
	}
}

static void split(struct line *l, char *text)
{
	char *save;

	text[strcspn(text, "#\n")] = '\0';
	for (char *w = strtok_r(text, " \t\r", &save); w && l->words < MAX_WORDS;
	     w = strtok_r(NULL, " \t\r", &save)) {
		l->word[l->words++] = w;
	}
}

void sim_read(struct sim *s)
{
	FILE *from = fopen(s->file, "r");
	char text[1024];
	uint32_t nr = 0;

	if (!from) {
		sim_error(s, 0, "cannot be read; name a description");
	}
	while (fgets(text, sizeof(text), from)) {
		struct line l = {.nr = ++nr};

		split(&l, text);
		if (l.words) {
			read_line(s, &l);
		}
	}
	fclose(from);
	if (s->nr_vcpus == 0) {
		sim_error(s, nr, "no vCPU is described; add a line \"vcpu\"");
	}
}
