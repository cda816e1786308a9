/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time line: a row for each CPU, in the colours of who ran there, and one
 * for each vCPU: when it ran, when its jobs came (a tick) and were to be done
 * (a short red line).
 */
#include "sim.h"

#define LEFT   130.0
#define WIDTH  1000.0
#define ROW    26.0
#define BAR    16.0
#define TOP    40.0
#define STEPS  10

static double x_of(const struct sim *s, uint64_t ns)
{
	return LEFT + WIDTH * (double)ns / (double)s->time_ns;
}

static double y_of(uint32_t row)
{
	return TOP + ROW * row;
}

/* Far apart, though the number of vCPUs is not known. */
static unsigned int hue_of(uint32_t vcpu)
{
	return vcpu * 137 % 360;
}

static void text(FILE *to, double x, double y, const char *anchor,
		 const char *what)
{
	fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y,
		anchor);
	for (; *what; what++) {
		if (*what == '<' || *what == '&') {
			fprintf(to, "&#%d;", *what);
		} else {
			fputc(*what, to);
		}
	}
	fprintf(to, "</text>\n");
}

static void mark(FILE *to, double x, uint32_t row, const char *colour)
{
	fprintf(to, "<path d=\"M%.2f %.1fv%.1f\" stroke=\"%s\"/>\n", x,
		y_of(row) - 3, BAR + 6, colour);
}

static void bar(const struct sim *s, const struct sim_slice *p, uint32_t row,
		FILE *to)
{
	double x = x_of(s, p->begin_ns);

	fprintf(to,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.0f\" "
		"fill=\"hsl(%u,65%%,%u%%)\"/>\n",
		x, y_of(row), x_of(s, p->end_ns) - x, BAR, hue_of(p->vcpu),
		row < s->nr_cpus ? 60 : 60 - 12 * (p->cpu % 3));
}

static void axis(const struct sim *s, FILE *to)
{
	double end = y_of(s->nr_cpus + s->nr_vcpus);

	for (int i = 0; i <= STEPS; i++) {
		uint64_t ns = s->time_ns / STEPS * (uint64_t)i;
		char label[32];

		snprintf(label, sizeof(label), "%.6g ms", (double)ns / 1e6);
		fprintf(to, "<path d=\"M%.2f %.1fV%.1f\" stroke=\"#ddd\"/>\n",
			x_of(s, ns), TOP - 6, end);
		text(to, x_of(s, ns), TOP - 12, "middle", label);
	}
}

static void names(const struct sim *s, FILE *to)
{
	for (uint32_t c = 0; c < s->nr_cpus; c++) {
		char label[16];

		snprintf(label, sizeof(label), "CPU %u", c);
		text(to, LEFT - 8, y_of(c) + 12, "end", label);
	}
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		text(to, LEFT - 8, y_of(s->nr_cpus + i) + 12, "end",
		     s->vcpu[i].name);
	}
}

static void jobs(const struct sim *s, uint32_t vcpu, FILE *to)
{
	const struct sim_vcpu *v = &s->vcpu[vcpu];

	for (uint64_t j = 0; v->release && j < v->nr_released; j++) {
		uint64_t due = v->release[j] + v->within_ns;

		if (due <= s->time_ns) {
			mark(to, x_of(s, due), s->nr_cpus + vcpu, "#d00");
		}
		mark(to, x_of(s, v->release[j]), s->nr_cpus + vcpu, "#000");
	}
}

void sim_draw(const struct sim *s, FILE *to)
{
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		LEFT + WIDTH + 40, y_of(s->nr_cpus + s->nr_vcpus) + 10);
	axis(s, to);
	names(s, to);
	for (size_t i = 0; i < s->nr_slices; i++) {
		bar(s, &s->slice[i], s->slice[i].cpu, to);
		bar(s, &s->slice[i], s->nr_cpus + s->slice[i].vcpu, to);
	}
	for (uint32_t i = 0; i < s->nr_vcpus; i++) {
		jobs(s, i, to);
	}
	fprintf(to, "</svg>\n");
}
