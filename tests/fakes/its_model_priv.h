/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ITS's model have together; see its_model.h. */
#ifndef ITS_MODEL_PRIV_H
#define ITS_MODEL_PRIV_H

#include "its_model.h"

#define IM_BASE UINT64_C(0x80000000) /* address of its memory */
#define IM_VALID (UINT64_C(1) << 63)
#define IM_DEVICE_ADDRESS FIELD64(51, 8)

/* What is on its way to a redistributor, in order. */
enum im_way { W_SET, W_CLEAR, W_DISCARD, W_INV, W_INVALL, W_MOVE };

extern struct im_config im_cfg;
extern bool im_enabled;
extern uint64_t im_baser[2];
extern uint16_t im_collection[LPI_NR]; /* where an LPI was mapped last */

void im_wrong(const char *what, uint64_t v);
/* All of [pa, pa + size) is given to the ITS, as @u; else wrong. */
bool im_is_ours(uint64_t pa, uint64_t size, uint8_t u);
/* An entry of a table, as the ITS itself sees it. */
uint64_t im_fetch(uint64_t pa, uint8_t u);
void im_store(uint64_t pa, uint64_t value, uint8_t u);
void im_flush(void);
uint32_t im_page_of(uint64_t baser);
void im_send(uint32_t cpu, enum im_way op, uint32_t n, uint32_t to);
bool im_has_lpis(uint32_t cpu);
void im_drain(uint32_t cpu);
void im_move_all(uint32_t from, uint32_t to);
/* its_model_cmd.c */
void im_do(const uint64_t *w);
void im_forget_some(void);

#endif
