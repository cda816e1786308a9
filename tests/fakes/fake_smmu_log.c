/* SPDX-License-Identifier: Apache-2.0 */
/* The log of fake_smmu500.h: writes of registers and barriers, in order. */
#include <string.h>

#define LOG_LEN 65536

static struct {
	int smmu; /* -1: a barrier */
	uint32_t off;
	uint64_t v;
	const char *what;
} log_[LOG_LEN];
static int nr_log;

void fake_smmu_log_add(int smmu, uint32_t off, uint64_t v, const char *what)
{
	if (nr_log < LOG_LEN) {
		log_[nr_log].smmu = smmu;
		log_[nr_log].off = off;
		log_[nr_log].v = v;
		log_[nr_log++].what = what;
	}
}

void fake_smmu_log_clear(void)
{
	nr_log = 0;
}

int fake_smmu_log_len(void)
{
	return nr_log;
}

int fake_smmu_log_write(uint32_t n, uint32_t off, int from)
{
	for (int i = from; i >= 0 && i < nr_log; i++) {
		if (log_[i].smmu == (int)n && log_[i].off == off) {
			return i;
		}
	}
	return -1;
}

int fake_smmu_log_value(uint32_t n, uint32_t off, uint64_t v, int from)
{
	int i = fake_smmu_log_write(n, off, from);

	while (i >= 0 && log_[i].v != v) {
		i = fake_smmu_log_write(n, off, i + 1);
	}
	return i;
}

int fake_smmu_log_barrier(const char *what, int from)
{
	for (int i = from; i >= 0 && i < nr_log; i++) {
		if (log_[i].smmu < 0 && !strcmp(log_[i].what, what)) {
			return i;
		}
	}
	return -1;
}

void fake_barrier(const char *what)
{
	fake_smmu_log_add(-1, 0, 0, what);
}
