/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of an SMMU of architecture version 2, and of MMU-500.
 * [SMMU2] 9 "The Global Address Space" to 16 "Translation context bank
 * registers"; [MMU500] 3.5, 3.7 for ACR and ACTLR.
 */
#ifndef SMMUV2_REGS_H
#define SMMUV2_REGS_H

#include <lib/bits.h>

/* Global register space 0 */
#define CR0 0x000u
#define CR0_CLIENTPD BIT32(0)   /* everything passes */
#define CR0_GFRE BIT32(1)       /* a refused access is told it is */
#define CR0_GFIE BIT32(2)
#define CR0_GCFGFIE BIT32(5)
#define CR0_USFCFG BIT32(10)    /* a stream that no group matches: fault */
#define CR0_VMIDPNE BIT32(11)   /* our VMIDs are not the CPUs' */
#define CR0_PTM BIT32(12)       /* nor is our TLB maintenance */
#define CR0_SMCFCFG BIT32(21)   /* one that two match: fault */
#define ACR 0x010u
#define ACR_CACHE_LOCK BIT32(26)
#define ACR_TLB_OF_STREAMS (BIT32(10) | BIT32(9) | BIT32(8))
#define IDR0 0x020u
#define IDR0_S2TS BIT32(29)
#define IDR0_SMS BIT32(27)
#define IDR0_CTTW BIT32(14)
#define IDR0_NUMSMRG FIELD64(7, 0)
#define IDR1 0x024u
#define IDR1_PAGESIZE BIT32(31)
#define IDR1_NUMPAGENDXB FIELD64(30, 28)
#define IDR1_NUMCB FIELD64(7, 0)
#define IDR2 0x028u
#define IDR2_PTFSV8_4KB BIT32(12)
#define IDR2_OAS FIELD64(7, 4)
#define IDR2_IAS FIELD64(3, 0)
#define GFAR_LO 0x040u
#define GFAR_HI 0x044u
#define GFSR 0x048u
#define GFSR_ICF BIT32(0)
#define GFSR_USF BIT32(1)
#define GFSYNR0 0x050u
#define GFSYNR0_WNR BIT32(1)
#define GFSYNR1 0x054u
#define TLBIVMID 0x064u
#define TLBIALLNSNH 0x068u
#define TLBIALLH 0x06cu
#define TLBGSYNC 0x070u
#define TLBGSTATUS 0x074u
#define TLBGSTATUS_ACTIVE BIT32(0)
#define SMR(n) (0x800u + 4 * (n))
#define SMR_VALID BIT32(31)
#define SMR_ID 0x7fffu
#define SMR_MASK_SHIFT 16
#define S2CR(n) (0xc00u + 4 * (n))
#define S2CR_FAULT BIT32(17)    /* TYPE; 0: by the bank in bits 7 to 0 */
#define S2CR_BYPASS BIT32(16)
#define S2CR_BANK 0xffu

/* Global register space 1 */
#define CBAR(n) (0x000u + 4 * (n)) /* TYPE 0: stage 2; bits 7 to 0: VMID */
#define CBAR_TYPE (BIT32(17) | BIT32(16))
#define CBFRSYNRA(n) (0x400u + 4 * (n))
#define CBA2R(n) (0x800u + 4 * (n))
#define CBA2R_VA64 BIT32(0)

/* A context bank */
#define CB_SCTLR 0x00u
#define CB_SCTLR_M BIT32(0)
#define CB_SCTLR_CFRE BIT32(5)
#define CB_SCTLR_CFIE BIT32(6)
#define CB_SCTLR_HUPCF BIT32(8) /* after one's fault others go on */
#define CB_ACTLR 0x04u
#define CB_ACTLR_CMTLB BIT32(0) /* the large TLB serves it, too */
#define CB_ACTLR_CPRE BIT32(1)
#define CB_TTBR0_LO 0x20u
#define CB_TTBR0_HI 0x24u
#define CB_TCR 0x30u
#define CB_TCR_RES1 BIT32(31)
#define CB_TCR_PASIZE_SHIFT 16
#define CB_TCR_SH0_INNER (BIT32(13) | BIT32(12))
#define CB_TCR_SH0_OUTER BIT32(13)
#define CB_TCR_ORGN0_WBWA BIT32(10)
#define CB_TCR_IRGN0_WBWA BIT32(8)
#define CB_TCR_SL0_SHIFT 6
#define CB_TCR_TG0 (BIT32(15) | BIT32(14)) /* 0: 4 KiB */
#define CB_FSR 0x58u
#define CB_FSR_TF BIT32(1)
#define CB_FSR_PF BIT32(3)
#define CB_FSR_EF BIT32(4)
#define CB_FAR_LO 0x60u
#define CB_FAR_HI 0x64u
#define CB_FSYNR0 0x68u
#define CB_FSYNR0_WNR BIT32(4)

#define FSR_ALL (BIT32(31) | 0x1ffu) /* both kinds of FSR; 31: MULTI */
#define FSR_MULTI BIT32(31)
#define SYNR_STREAM 0xffffu

#endif
