/* SPDX-License-Identifier: Apache-2.0 */
/* The property names that boot/ asks a device tree for. */
#ifndef BOOT_FDT_NAMES_H
#define BOOT_FDT_NAMES_H

#define DT_NAMES(N)                                                           \
	N(ADDRESS_CELLS, "#address-cells")                                    \
	N(SIZE_CELLS, "#size-cells")                                          \
	N(INTERRUPT_CELLS, "#interrupt-cells")                                \
	N(REDIST_REGIONS, "#redistributor-regions")                           \
	N(REDIST_STRIDE, "redistributor-stride")                              \
	N(PHANDLE, "phandle")                                                 \
	N(LINUX_PHANDLE, "linux,phandle")                                     \
	N(COMPATIBLE, "compatible")                                           \
	N(STATUS, "status")                                                   \
	N(DEVICE_TYPE, "device_type")                                         \
	N(REG, "reg")                                                         \
	N(RANGES, "ranges")                                                   \
	N(NO_MAP, "no-map")                                                   \
	N(ENABLE_METHOD, "enable-method")                                     \
	N(CPU_RELEASE_ADDR, "cpu-release-addr")                               \
	N(METHOD, "method")                                                   \
	N(CLOCK_FREQUENCY, "clock-frequency")                                 \
	N(INTERRUPT_PARENT, "interrupt-parent")                               \
	N(INTERRUPTS, "interrupts")                                           \
	N(INTERRUPTS_EXTENDED, "interrupts-extended")                         \
	N(INTERRUPT_CONTROLLER, "interrupt-controller")                       \
	N(INTERRUPT_MAP, "interrupt-map")                                     \
	N(INTERRUPT_MAP_MASK, "interrupt-map-mask")                           \
	N(PDC_RANGES, "qcom,pdc-ranges")                                      \
	N(MSI_CONTROLLER, "msi-controller")                                   \
	N(MSI_BASE_SPI, "arm,msi-base-spi")                                   \
	N(MSI_NUM_SPIS, "arm,msi-num-spis")                                   \
	N(MSI_PARENT, "msi-parent")                                           \
	N(MSI_MAP, "msi-map")                                                 \
	N(MSI_MAP_MASK, "msi-map-mask")                                       \
	N(IOMMUS, "iommus")                                                   \
	N(IOMMU_MAP, "iommu-map")                                             \
	N(MMU_MASTERS, "mmu-masters")                                         \
	N(IOMMU_MAP_MASK, "iommu-map-mask")                                   \
	N(COOLING_DEVICE, "cooling-device")                                   \
	N(POWER_DOMAINS, "power-domains")                                     \
	N(XEN_PASSTHROUGH, "xen,passthrough")                                 \
	N(XEN_FORCE_ASSIGN, "xen,force-assign-without-iommu")                 \
	N(BULKHEAD_FRAME, "bulkhead,frame-us")                                \
	N(BULKHEAD_WINDOWS, "bulkhead,windows")                               \
	N(BULKHEAD_SHA256, "bulkhead,sha256")                                 \
	N(CPUPOOL_CPUS, "cpupool-cpus")                                       \
	N(CPUPOOL_SCHED, "cpupool-sched")                                     \
	N(BOOTARGS, "bootargs")                                               \
	N(XEN_XEN_BOOTARGS, "xen,xen-bootargs")                               \
	N(XEN_DOM0_BOOTARGS, "xen,dom0-bootargs")                             \
	N(STDOUT_PATH, "stdout-path")                                         \
	N(LINUX_STDOUT_PATH, "linux,stdout-path")                             \
	N(LINUX_INITRD_START, "linux,initrd-start")                           \
	N(LINUX_INITRD_END, "linux,initrd-end")

#define DT_NAME_ENUM(id, text) DT_##id,
enum dt_name { DT_OTHER, DT_NAMES(DT_NAME_ENUM) DT_NR_NAMES };
#undef DT_NAME_ENUM

#endif
