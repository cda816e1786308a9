/* SPDX-License-Identifier: Apache-2.0 */
/* Physical CPUs off line, and on line again, while domains run. */
#ifndef HV_HOTPLUG_H
#define HV_HOTPLUG_H

#include <lib/types.h>

/*
 * One bounded step, control_lock held. -EAGAIN: call again with the same
 * parameters; -EBUSY with others meanwhile.
 *
 * Off: from its pool, whose vCPUs then have one CPU less, to where the firmware
 * keeps it. -EBUSY: a vCPU has no other CPU, by its affinity, as the pool's
 * last or by the pool's policy; -EOPNOTSUPP: this machine's cannot go off;
 * -ENODEV: it is off.
 * On: back to that pool, or where that is gone, to the free CPUs. -EEXIST: it
 * is on; -ENODEV: it never came on line; -EIO: the firmware does not start it;
 * -ETIME: it is late and given up, others may change. Ask again: it may come.
 * -EINVAL: there is no such CPU.
 */
__must_check int hotplug_step(uint32_t cpu, bool on);

#endif
