/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From "interrupts", "interrupts-extended" and "interrupt-map" to INTIDs.
 *
 * Not     interrupts of GPIO and other cascaded controllers: their own line
 *         to the GIC is what counts, and it is in their own node.
 * Bounds  IRQ_MAX_HOPS controllers between a device and the GIC, so a cycle
 *         of interrupt parents ends; IRQ_MAX_PER_NODE entries, so asking for
 *         one after the other ends; four cells per specifier.
 * Spec    [DT] 2.4 "Interrupts and Interrupt Mapping"; the GIC's cells are
 *         kind, number, flags (and a PPI partition): arm,gic-v3 binding.
 */
#include "fdt_irq.h"

#include <lib/errno.h>
#include <lib/string.h>

#define IRQ_MAX_HOPS 8u
#define IRQ_MAX_PER_NODE 1024u

enum gic_kind { GIC_SPI, GIC_PPI, GIC_ESPI, GIC_EPPI };

/* An interrupt on its way to the GIC. */
struct irq_spec {
	uint32_t ctrl;     /* node it is addressed to */
	uint32_t nr_cells;
	uint32_t cell[4];
	uint32_t nr_addr;  /* unit address for interrupt-map */
	uint32_t addr[4];
};

/* One decoded row of an interrupt-map. */
struct map_row {
	const uint8_t *child; /* address and specifier to match */
	struct irq_spec to;
	uint32_t next;        /* byte offset of the next row */
};

/*
 * Controllers between devices and the GIC that only watch for wake-up: what
 * arrives is what leaves.
 */
static const char *const transparent[] = {
	"fsl,imx8mq-gpc", "fsl,imx7d-gpc", "mediatek,mt6577-sysirq",
	"nvidia,tegra210-ictlr", "nvidia,tegra114-ictlr",
	"nvidia,tegra30-ictlr", "ti,omap4-wugen-mpu", NULL,
};

static const char *const qcom_pdc[] = { "qcom,pdc", NULL };

static int decode_gic(const struct irq_spec *s, struct dt_irq *out)
{
	uint32_t flags;

	if (s->nr_cells < 3) {
		return -EINVAL;
	}
	flags = s->cell[2] & 0xf;
	out->trigger = flags == 1 || flags == 2 ? IRQ_EDGE : IRQ_LEVEL;
	if (s->cell[0] == GIC_SPI && s->cell[1] < 988) {
		out->intid = 32 + s->cell[1];
	} else if (s->cell[0] == GIC_PPI && s->cell[1] < 16) {
		out->intid = 16 + s->cell[1];
	} else if (s->cell[0] == GIC_ESPI && s->cell[1] < 1024) {
		out->intid = 4096 + s->cell[1];
	} else if (s->cell[0] == GIC_EPPI && s->cell[1] < 64) {
		out->intid = 1056 + s->cell[1];
	} else {
		return -EINVAL;
	}
	return 0;
}

static uint32_t spec_cells(const struct dt *t, uint32_t ctrl)
{
	return t->node[ctrl].irq_cells;
}

/* Cells of a unit address in front of a specifier for @ctrl in a map. */
static uint32_t unit_cells(const struct dt *t, uint32_t ctrl)
{
	return dt_has(t, ctrl, DT_ADDRESS_CELLS) ? t->node[ctrl].addr_cells : 0;
}

static int map_row_at(struct dt *t, uint32_t idx, uint32_t pos,
		      struct map_row *row)
{
	uint32_t len;
	const uint8_t *m = dt_prop(t, idx, DT_INTERRUPT_MAP, &len);
	uint32_t skip = 4 * (unit_cells(t, idx) + spec_cells(t, idx));
	uint32_t addr;
	uint32_t to;

	if (!m || pos >= len) {
		return -ENOENT;
	}
	if (unit_cells(t, idx) > 4 || spec_cells(t, idx) == 0 ||
	    len - pos < skip + 4) {
		return -EINVAL;
	}
	row->child = m + pos;
	pos += skip;
	to = dt_by_phandle(t, dt_be32(m + pos));
	pos += 4;
	if (to == DT_NONE) {
		return -EINVAL; /* its cells are unknown: no way to go on */
	}
	addr = unit_cells(t, to);
	row->to = (struct irq_spec){ .ctrl = to, .nr_addr = addr,
				     .nr_cells = spec_cells(t, to) };
	if (addr > 4 || row->to.nr_cells == 0 ||
	    (len - pos) / 4 < addr + row->to.nr_cells) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < addr; i++, pos += 4) {
		row->to.addr[i] = dt_be32(m + pos);
	}
	for (uint32_t i = 0; i < row->to.nr_cells; i++, pos += 4) {
		row->to.cell[i] = dt_be32(m + pos);
	}
	row->next = pos;
	return 0;
}

static bool is_row_match(struct dt *t, const struct irq_spec *s,
			 const struct map_row *row)
{
	uint32_t addr = unit_cells(t, s->ctrl);
	uint32_t nr = addr + s->nr_cells;
	uint32_t len;
	const uint8_t *mask = dt_prop(t, s->ctrl, DT_INTERRUPT_MAP_MASK, &len);

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t want = i < addr ? s->addr[i] : s->cell[i - addr];
		uint32_t m = mask && len / 4 > i ? dt_be32(mask + 4 * i) :
			     UINT32_MAX;

		if ((want & m) != (dt_be32(row->child + 4 * i) & m)) {
			return false;
		}
	}
	return true;
}

/* qcom,pdc-ranges: first pin, first SPI, count; the PDC has two cells. */
static int through_pdc(struct dt *t, struct irq_spec *s)
{
	uint32_t len;
	const uint8_t *r = dt_prop(t, s->ctrl, DT_PDC_RANGES, &len);

	for (uint32_t pos = 0; r && len - pos >= 12; pos += 12) {
		uint32_t pin = dt_be32(r + pos);

		if (s->cell[0] >= pin &&
		    s->cell[0] - pin < dt_be32(r + pos + 8)) {
			s->cell[2] = s->cell[1];
			s->cell[1] = dt_be32(r + pos + 4) + (s->cell[0] - pin);
			s->cell[0] = GIC_SPI;
			s->nr_cells = 3;
			return 0;
		}
	}
	return -ENXIO;
}

/* One controller nearer to the GIC. */
static int spec_hop(struct dt *t, struct irq_spec *s)
{
	struct map_row row;
	uint32_t pos = 0;
	int rc;

	if (dt_has(t, s->ctrl, DT_INTERRUPT_MAP)) {
		/* bound: rows of one property */
		while ((rc = map_row_at(t, s->ctrl, pos, &row)) == 0) {
			if (is_row_match(t, s, &row)) {
				*s = row.to;
				return 0;
			}
			pos = row.next;
		}
		return rc == -ENOENT ? -ENXIO : rc;
	}
	if (dt_is_compatible(t, s->ctrl, qcom_pdc)) {
		rc = through_pdc(t, s);
		if (rc) {
			return rc;
		}
	} else if (!dt_is_compatible(t, s->ctrl, transparent)) {
		return -ENXIO;
	}
	s->ctrl = dt_irq_parent(t, s->ctrl);
	return s->ctrl == DT_NONE ? -ENXIO : 0;
}

static int spec_to_gic(struct dt *t, uint32_t gic, struct irq_spec *s,
		       struct dt_irq *out)
{
	for (uint32_t hop = 0; hop < IRQ_MAX_HOPS; hop++) {
		int rc;

		if (s->ctrl == gic) {
			return decode_gic(s, out);
		}
		rc = spec_hop(t, s);
		if (rc) {
			return rc;
		}
	}
	return -EINVAL;
}

static void spec_read(struct irq_spec *s, const uint8_t *p)
{
	for (uint32_t i = 0; i < s->nr_cells; i++) {
		s->cell[i] = dt_be32(p + 4 * i);
	}
}

/* Entry @n of "interrupts-extended": phandle and specifier, variable size. */
static int extended_at(struct dt *t, const uint8_t *p, uint32_t len,
		       uint32_t n, struct irq_spec *s)
{
	uint32_t pos = 0;

	while (len - pos >= 4) {
		uint32_t phandle = dt_be32(p + pos);

		pos += 4;
		s->ctrl = dt_by_phandle(t, phandle);
		s->nr_cells = 0;
		if (s->ctrl != DT_NONE) {
			s->nr_cells = spec_cells(t, s->ctrl);
			if (s->nr_cells == 0) {
				return -EINVAL;
			}
		} else if (phandle != 0) {
			return -EINVAL;
		}
		if ((len - pos) / 4 < s->nr_cells) {
			return -EINVAL;
		}
		if (n-- == 0) {
			spec_read(s, p + pos);
			return s->ctrl == DT_NONE ? -ENXIO : 0;
		}
		pos += 4 * s->nr_cells;
	}
	return -ENOENT;
}

static void unit_address_read(struct dt *t, uint32_t idx, struct irq_spec *s)
{
	uint32_t len;
	const uint8_t *reg = dt_prop(t, idx, DT_REG, &len);
	uint32_t n = t->node[t->node[idx].parent].addr_cells;

	if (reg && n <= 4 && len >= 4 * n) {
		s->nr_addr = n;
		for (uint32_t i = 0; i < n; i++) {
			s->addr[i] = dt_be32(reg + 4 * i);
		}
	}
}

int dt_irq(struct dt *t, uint32_t gic, uint32_t idx, uint32_t n,
	   struct dt_irq *out)
{
	uint32_t len;
	const uint8_t *p = dt_prop(t, idx, DT_INTERRUPTS_EXTENDED, &len);
	struct irq_spec s = { 0 };
	int rc;

	if (n >= IRQ_MAX_PER_NODE) {
		return -EINVAL;
	}
	if (p) {
		rc = extended_at(t, p, len, n, &s);
		if (rc) {
			return rc;
		}
	} else {
		p = dt_prop(t, idx, DT_INTERRUPTS, &len);
		if (!p) {
			return -ENOENT;
		}
		s.ctrl = dt_irq_parent(t, idx);
		if (s.ctrl == DT_NONE) {
			return -EINVAL;
		}
		s.nr_cells = spec_cells(t, s.ctrl);
		if (s.nr_cells == 0) {
			return -EINVAL;
		}
		if (n >= len / (4 * s.nr_cells)) {
			return -ENOENT;
		}
		spec_read(&s, p + (size_t)n * 4 * s.nr_cells);
	}
	if (s.ctrl != gic) {
		unit_address_read(t, idx, &s);
	}
	return spec_to_gic(t, gic, &s, out);
}

int dt_irq_own(struct dt *t, uint32_t gic, struct dt_irq *out)
{
	struct irq_spec s = { .ctrl = gic, .nr_cells = spec_cells(t, gic) };
	uint32_t len;
	const uint8_t *p = dt_prop(t, gic, DT_INTERRUPTS, &len);

	if (!p || len / 4 < s.nr_cells) {
		return -ENOENT;
	}
	spec_read(&s, p);
	return decode_gic(&s, out);
}

int dt_irq_map_row(struct dt *t, uint32_t gic, uint32_t idx, uint32_t *pos,
		   const uint8_t **child, struct dt_irq *out)
{
	struct map_row row;
	int rc = map_row_at(t, idx, *pos, &row);

	if (rc) {
		return rc;
	}
	*pos = row.next;
	*child = row.child;
	return spec_to_gic(t, gic, &row.to, out);
}

int dt_irq_map_next(struct dt *t, uint32_t gic, uint32_t idx, uint32_t *pos,
		    struct dt_irq *out)
{
	const uint8_t *child;

	return dt_irq_map_row(t, gic, idx, pos, &child, out);
}
