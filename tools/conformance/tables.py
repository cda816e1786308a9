# SPDX-License-Identifier: Apache-2.0
"""The rows that the conformance matrix must have: those of the hypercall and register tables, and their names."""
import re

import common
import compat
import rows

GIC_TABLES = {"GICD": ("arch/arm64/vgic/vgicd_v3.c", "arch/arm64/vgic/vgicd_v2.c"),
              "GICR": ("arch/arm64/vgic/vgicr_v3.c",), "GICR_SGI": ("arch/arm64/vgic/vgicr_v3.c",)}
# [GIC]: offset, bytes, name. What is not here is reserved.
GIC_REGISTERS = {
    "GICD": ((0x0, 4, "CTLR"), (0x4, 4, "TYPER"), (0x8, 4, "IIDR"), (0xc, 4, "TYPER2"), (0x10, 4, "STATUSR"),
             (0x40, 4, "SETSPI_NSR"), (0x48, 4, "CLRSPI_NSR"), (0x50, 4, "SETSPI_SR"), (0x58, 4, "CLRSPI_SR"),
             (0x80, 0x80, "IGROUPR"), (0x100, 0x80, "ISENABLER"), (0x180, 0x80, "ICENABLER"), (0x200, 0x80, "ISPENDR"),
             (0x280, 0x80, "ICPENDR"), (0x300, 0x80, "ISACTIVER"), (0x380, 0x80, "ICACTIVER"), (0x400, 0x400, "IPRIORITYR"),
             (0x800, 0x400, "ITARGETSR"), (0xc00, 0x100, "ICFGR"), (0xd00, 0x80, "IGRPMODR"), (0xe00, 0x100, "NSACR"),
             (0xf00, 4, "SGIR"), (0xf10, 16, "CPENDSGIR"), (0xf20, 16, "SPENDSGIR"), (0x6000, 0x2000, "IROUTER"),
             (0xfe8, 4, "PIDR2"), (0xffe8, 4, "PIDR2")),
    "GICR": ((0x0, 4, "CTLR"), (0x4, 4, "IIDR"), (0x8, 8, "TYPER"), (0x10, 4, "STATUSR"), (0x14, 4, "WAKER"),
             (0x40, 8, "SETLPIR"), (0x48, 8, "CLRLPIR"), (0x70, 8, "PROPBASER"), (0x78, 8, "PENDBASER"),
             (0xa0, 8, "INVLPIR"), (0xb0, 8, "INVALLR"), (0xc0, 4, "SYNCR"), (0xffe8, 4, "PIDR2")),
    "GICR_SGI": ((0x80, 4, "IGROUPR0"), (0x100, 4, "ISENABLER"), (0x180, 4, "ICENABLER"), (0x200, 4, "ISPENDR"),
                 (0x280, 4, "ICPENDR"), (0x300, 4, "ISACTIVER"), (0x380, 4, "ICACTIVER"), (0x400, 32, "IPRIORITYR"),
                 (0xc00, 8, "ICFGR"), (0xd00, 4, "IGRPMODR0"), (0xe00, 4, "NSACR")),
    "GICC": ((0x0, 4, "CTLR"), (0x4, 4, "PMR"), (0x8, 4, "BPR"), (0xc, 4, "IAR"), (0x10, 4, "EOIR"), (0x14, 4, "RPR"),
             (0x18, 4, "HPPIR"), (0x1c, 4, "ABPR"), (0x20, 4, "AIAR"), (0x24, 4, "AEOIR"), (0x28, 4, "AHPPIR"),
             (0xd0, 16, "APR"), (0xe0, 16, "NSAPR"), (0xfc, 4, "IIDR"), (0x1000, 4, "DIR")),
}
# [ARM]: the registers with names that a reader knows; the others go by their encoding.
SYS_NAMES = {
    "3_0_0_0_0": "MIDR_EL1", "3_0_0_0_5": "MPIDR_EL1", "3_0_0_0_6": "REVIDR_EL1", "3_0_0_1_0": "ID_PFR0_EL1",
    "3_0_0_1_1": "ID_PFR1_EL1", "3_0_0_1_2": "ID_DFR0_EL1", "3_0_0_1_3": "ID_AFR0_EL1", "3_0_0_1_4": "ID_MMFR0_EL1",
    "3_0_0_1_5": "ID_MMFR1_EL1", "3_0_0_1_6": "ID_MMFR2_EL1", "3_0_0_1_7": "ID_MMFR3_EL1", "3_0_0_2_0": "ID_ISAR0_EL1",
    "3_0_0_2_1": "ID_ISAR1_EL1", "3_0_0_2_2": "ID_ISAR2_EL1", "3_0_0_2_3": "ID_ISAR3_EL1", "3_0_0_2_4": "ID_ISAR4_EL1",
    "3_0_0_2_5": "ID_ISAR5_EL1", "3_0_0_2_6": "ID_MMFR4_EL1", "3_0_0_2_7": "ID_ISAR6_EL1", "3_0_0_3_0": "MVFR0_EL1",
    "3_0_0_3_1": "MVFR1_EL1", "3_0_0_3_2": "MVFR2_EL1", "3_0_0_3_4": "ID_PFR2_EL1", "3_0_0_3_5": "ID_DFR1_EL1",
    "3_0_0_3_6": "ID_MMFR5_EL1", "3_0_0_4_0": "ID_AA64PFR0_EL1", "3_0_0_4_1": "ID_AA64PFR1_EL1",
    "3_0_0_4_4": "ID_AA64ZFR0_EL1", "3_0_0_4_5": "ID_AA64SMFR0_EL1", "3_0_0_5_0": "ID_AA64DFR0_EL1",
    "3_0_0_5_1": "ID_AA64DFR1_EL1", "3_0_0_5_4": "ID_AA64AFR0_EL1", "3_0_0_5_5": "ID_AA64AFR1_EL1",
    "3_0_0_6_0": "ID_AA64ISAR0_EL1", "3_0_0_6_1": "ID_AA64ISAR1_EL1", "3_0_0_6_2": "ID_AA64ISAR2_EL1",
    "3_0_0_7_0": "ID_AA64MMFR0_EL1", "3_0_0_7_1": "ID_AA64MMFR1_EL1", "3_0_0_7_2": "ID_AA64MMFR2_EL1",
    "3_0_1_0_0": "SCTLR_EL1", "3_0_1_0_1": "ACTLR_EL1", "3_0_1_0_2": "CPACR_EL1", "3_0_2_0_0": "TTBR0_EL1",
    "3_0_2_0_1": "TTBR1_EL1", "3_0_2_0_2": "TCR_EL1", "3_0_4_0_0": "SPSR_EL1", "3_0_4_0_1": "ELR_EL1", "3_0_4_1_0": "SP_EL0",
    "3_0_4_2_0": "SPSel", "3_0_4_2_2": "CurrentEL", "3_0_4_6_0": "ICC_PMR_EL1", "3_0_5_1_0": "AFSR0_EL1",
    "3_0_5_1_1": "AFSR1_EL1", "3_0_5_2_0": "ESR_EL1", "3_0_6_0_0": "FAR_EL1", "3_0_7_4_0": "PAR_EL1",
    "3_0_5_3_0": "ERRIDR_EL1", "3_0_10_4_0": "LORSA_EL1", "3_0_10_4_1": "LOREA_EL1", "3_0_10_4_2": "LORN_EL1",
    "3_0_10_4_3": "LORC_EL1", "3_0_10_4_7": "LORID_EL1", "3_0_9_14_6": "PMMIR_EL1",
    "3_0_9_14_1": "PMINTENSET_EL1", "3_0_9_14_2": "PMINTENCLR_EL1", "3_0_10_2_0": "MAIR_EL1", "3_0_10_3_0": "AMAIR_EL1",
    "3_0_12_0_0": "VBAR_EL1", "3_0_12_0_1": "RVBAR_EL1", "3_0_12_1_0": "ISR_EL1", "3_0_12_8_0": "ICC_IAR0_EL1",
    "3_0_12_8_1": "ICC_EOIR0_EL1", "3_0_12_8_2": "ICC_HPPIR0_EL1", "3_0_12_8_3": "ICC_BPR0_EL1",
    "3_0_12_8_4": "ICC_AP0R0_EL1", "3_0_12_9_0": "ICC_AP1R0_EL1", "3_0_12_11_1": "ICC_DIR_EL1", "3_0_12_11_3": "ICC_RPR_EL1",
    "3_0_12_11_5": "ICC_SGI1R_EL1", "3_0_12_11_6": "ICC_ASGI1R_EL1", "3_0_12_11_7": "ICC_SGI0R_EL1",
    "3_0_12_12_0": "ICC_IAR1_EL1", "3_0_12_12_1": "ICC_EOIR1_EL1", "3_0_12_12_2": "ICC_HPPIR1_EL1",
    "3_0_12_12_3": "ICC_BPR1_EL1", "3_0_12_12_4": "ICC_CTLR_EL1", "3_0_12_12_5": "ICC_SRE_EL1",
    "3_0_12_12_6": "ICC_IGRPEN0_EL1", "3_0_12_12_7": "ICC_IGRPEN1_EL1", "3_0_13_0_1": "CONTEXTIDR_EL1",
    "3_0_13_0_4": "TPIDR_EL1", "3_0_14_1_0": "CNTKCTL_EL1", "3_1_0_0_0": "CCSIDR_EL1", "3_1_0_0_1": "CLIDR_EL1",
    "3_1_0_0_7": "AIDR_EL1", "3_2_0_0_0": "CSSELR_EL1", "3_3_0_0_1": "CTR_EL0", "3_3_0_0_7": "DCZID_EL0",
    "3_3_4_2_0": "NZCV", "3_3_4_2_1": "DAIF", "3_3_4_4_0": "FPCR", "3_3_4_4_1": "FPSR", "3_3_9_12_0": "PMCR_EL0",
    "3_3_9_12_1": "PMCNTENSET_EL0", "3_3_9_12_2": "PMCNTENCLR_EL0", "3_3_9_12_3": "PMOVSCLR_EL0", "3_3_9_12_4": "PMSWINC_EL0",
    "3_3_9_12_5": "PMSELR_EL0", "3_3_9_12_6": "PMCEID0_EL0", "3_3_9_12_7": "PMCEID1_EL0", "3_3_9_13_0": "PMCCNTR_EL0",
    "3_3_9_13_1": "PMXEVTYPER_EL0", "3_3_9_13_2": "PMXEVCNTR_EL0", "3_3_9_14_0": "PMUSERENR_EL0", "3_3_9_14_3": "PMOVSSET_EL0",
    "3_3_13_0_2": "TPIDR_EL0", "3_3_13_0_3": "TPIDRRO_EL0", "3_3_14_0_0": "CNTFRQ_EL0", "3_3_14_0_1": "CNTPCT_EL0",
    "3_3_14_0_2": "CNTVCT_EL0", "3_3_14_2_0": "CNTP_TVAL_EL0", "3_3_14_2_1": "CNTP_CTL_EL0", "3_3_14_2_2": "CNTP_CVAL_EL0",
    "3_3_14_3_0": "CNTV_TVAL_EL0", "3_3_14_3_1": "CNTV_CTL_EL0", "3_3_14_3_2": "CNTV_CVAL_EL0", "3_3_14_15_7": "PMCCFILTR_EL0",
    "2_0_0_0_2": "OSDTRRX_EL1", "2_0_0_2_0": "MDCCINT_EL1", "2_0_0_2_2": "MDSCR_EL1", "2_0_0_3_2": "OSDTRTX_EL1",
    "2_0_0_6_2": "OSECCR_EL1", "2_0_1_0_0": "MDRAR_EL1", "2_0_1_0_4": "OSLAR_EL1", "2_0_1_1_4": "OSLSR_EL1",
    "2_0_1_3_4": "OSDLR_EL1", "2_0_1_4_4": "DBGPRCR_EL1", "2_0_7_8_6": "DBGCLAIMSET_EL1", "2_0_7_9_6": "DBGCLAIMCLR_EL1",
    "2_0_7_14_6": "DBGAUTHSTATUS_EL1", "2_3_0_1_0": "MDCCSR_EL0", "2_3_0_4_0": "DBGDTR_EL0", "2_3_0_5_0": "DBGDTRRX_EL0",
}
# [ARM] C5.3: instructions of the same space.
SYS_NAMES |= {
    "1_0_7_1_0": "IC IALLUIS", "1_0_7_5_0": "IC IALLU", "1_3_7_5_1": "IC IVAU", "1_0_7_6_1": "DC IVAC",
    "1_0_7_6_2": "DC ISW", "1_0_7_10_2": "DC CSW", "1_0_7_14_2": "DC CISW", "1_3_7_4_1": "DC ZVA", "1_3_7_10_1": "DC CVAC",
    "1_3_7_11_1": "DC CVAU", "1_3_7_12_1": "DC CVAP", "1_3_7_13_1": "DC CVADP", "1_3_7_14_1": "DC CIVAC",
}
DEBUG_ROWS = {4: "DBGBVR{}_EL1", 5: "DBGBCR{}_EL1", 6: "DBGWVR{}_EL1", 7: "DBGWCR{}_EL1"}


# ---- names

def fields_of(number):
    """op0, op1, CRn, CRm, op2 of an encoding as the guest prints it."""
    return number >> 14, number >> 11 & 7, number >> 7 & 15, number >> 3 & 15, number & 7


def sys_name(number):
    op0, op1, crn, crm, op2 = fields_of(number)
    if (op0, op1, crn) == (2, 0, 0) and op2 in DEBUG_ROWS:
        return DEBUG_ROWS[op2].format(crm)
    if (op0, op1, crn) == (3, 3, 14) and crm & 12 in (8, 12) and crm * 8 + op2 != 127:
        return f"PMEV{'TYPER' if crm & 4 else 'CNTR'}{(crm & 3) * 8 + op2}_EL0"
    name = SYS_NAMES.get(f"{op0}_{op1}_{crn}_{crm}_{op2}")
    if name:
        return name
    if op0 == 1:
        return {7: "AT and other operations", 8: "TLBI", 9: "TLBI"}.get(crn, "system instructions without a name")
    if op1 in (4, 5, 6, 7):
        return "registers of EL2 and EL3"
    if (op0, op1, crn) == (3, 0, 0) and 1 <= crm <= 7:
        return "ID registers without a name"
    return "system registers without a name"


def gic_name(frame, at):
    for first, size, name in GIC_REGISTERS.get(frame, ()):
        if first <= at < first + size:
            return f"{frame}_{name}"
    return f"{frame} reserved" if frame in GIC_REGISTERS else frame


def register_row(row, case):
    """A register's own row in place of its frame, and for system registers the encoding in words."""
    what, _, at = case.rpartition(" ")
    if row == "sysreg":
        number = int(at, 16)
        return sys_name(number), "{} s{}_{}_c{}_c{}_{}".format(what, *fields_of(number))
    if re.fullmatch(r"(0x)?[0-9a-f]+", row):
        return "operations without a name", f"{row} {case}"
    if row in GIC_REGISTERS:
        return gic_name(row, int(at, 16)), f"{what} {int(at, 16):04x}"
    return row, case


PREFIXES = (("XENMEM_", "memory_op"), ("EVTCHNOP_", "event_channel_op"), ("GNTTABOP_", "grant_table_op"),
            ("SCHEDOP_", "sched_op"), ("VCPUOP_", "vcpu_op"), ("HVMOP_", "hvm_op"), ("XENVER_", "xen_version"),
            ("CONSOLEIO_", "console_io"), ("VMASST_", "vm_assist"), ("PHYSDEVOP_", "physdev_op"), ("XENPF_", "platform_op"),
            ("XEN_DOMCTL_", "domctl"), ("XEN_SYSCTL_", "sysctl"), ("__HYPERVISOR_", "hypercall numbers"),
            ("hypercall", "hypercall numbers"), ("PSCI", "PSCI"), ("SMCCC", "SMCCC"), ("HVC", "SMCCC"), ("SMC ", "SMCCC"),
            ("fault ", "faults"), ("end of", "ends of a domain"), ("instruction", "faults"), ("GIC", "GIC registers"),
            *((prefix, "system instructions") for prefix in ("DC ", "IC ", "AT ", "TLBI", "system instructions")))


def area_of(row):
    for prefix, area in PREFIXES:
        if row.startswith(prefix):
            return area
    return row if row == "operations without a name" else "system registers"


# ---- rows that must be there

def operation_rows(root):
    """Operations of the public headers and of the tables in core/."""
    for group in compat.GROUPS:
        for _, name in compat.operations(root, group):
            yield name, group.header
    for path in common.walk(root, ("core",), (".c",)):
        for _, name, _ in rows.rows_of(common.strip_c(common.read(root, path))):
            yield name, path


def gic_rows(root):
    row = re.compile(r"REG_(?:PLAIN|PER_IRQ)\((0x\w+),")
    for path, frames in (("vgicd_v3.c", ("GICD",)), ("vgicd_v2.c", ("GICD",)), ("vgicr_v3.c", ("GICR", "GICR_SGI"))):
        path = "arch/arm64/vgic/" + path
        text = common.read(root, path)
        parts = text.split("sgi_rows[]") if len(frames) == 2 else [text]
        for frame, part in zip(frames, parts):
            for at in row.findall(part):
                yield gic_name(frame, int(at, 16)), path


def sys_rows(root):
    """The rows of trapped registers, and every identification register."""
    path = "arch/arm64/trap/sysreg.c"
    for words in re.findall(r"^\s*\{ REG\(([\d, ]+)\)", common.read(root, path), re.M):
        op0, op1, crn, crm, op2 = (int(word) for word in words.split(","))
        yield sys_name(op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2), path
    for crm in range(1, 8):
        for op2 in range(8):
            yield sys_name(3 << 14 | crm << 3 | op2), "arch/arm64/trap/idregs.c"


def firmware_rows(root):
    for path, pattern in (("arch/arm64/vdev/vpsci.c", r"\[(PSCI_\w+) & 0x1f\]"),
                          ("arch/arm64/trap/smccc.c", r"case (SMCCC_\w+):")):
        for name in re.findall(pattern, common.read(root, path)):
            yield name, path


def rows_needed(root):
    """[(row, where it is from)], each once."""
    needed = {}
    for source in (operation_rows, gic_rows, sys_rows, firmware_rows):
        for name, where in source(root):
            needed.setdefault(name, where)
    return sorted(needed.items())
