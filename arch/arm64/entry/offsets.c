/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the offsets that assembly needs; compiled to text, never linked. */
#include <hv/percpu.h>
#include <hv/vcpu.h>

#define NUMBER(name, value)                                                   \
	__asm__ volatile("\n.ascii \"#define " #name " %c0\\n\""               \
			 : : "i"(value))
#define OFFSET(name, type, member) NUMBER(name, offsetof(type, member))

void offsets(void);
void offsets(void)
{
	OFFSET(VCPU_X0, struct vcpu, arch.regs.x);
	OFFSET(VCPU_X30, struct vcpu, arch.regs.x[30]);
	OFFSET(VCPU_PC, struct vcpu, arch.regs.pc);
	OFFSET(VCPU_STACK_TOP, struct vcpu, arch.regs.stack_top);
	OFFSET(VCPU_WORK, struct vcpu, work);
	OFFSET(PCPU_WORK, struct pcpu, work);
	OFFSET(PCPU_STACK_TOP, struct pcpu, stack_top);
	OFFSET(PCPU_EMERGENCY_TOP, struct pcpu, emergency_top);
	NUMBER(PCPU_MAX, NR_CPUS);
}
