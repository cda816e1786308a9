/* SPDX-License-Identifier: Apache-2.0 */
/* What both pictures are made of. */
#include "image.h"

#include <lib/types.h>

static const char *const colours[] = {
	"#a6cee3", "#b2df8a", "#fdbf6f", "#cab2d6", "#ffff99", "#fb9a99",
};

const char *svg_colour(uint32_t domain)
{
	return colours[domain % ARRAY_SIZE(colours)];
}

void svg_text(FILE *f, int x, int y, const char *text)
{
	fprintf(f, "<text x=\"%d\" y=\"%d\">", x, y);
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&') {
			fprintf(f, "&#%d;", *text);
		} else {
			fputc(*text >= ' ' && *text < 127 ? *text : '?', f);
		}
	}
	fputs("</text>\n", f);
}

void svg_box(FILE *f, int x, int y, int width, int height,
	     const char *colour)
{
	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
		"fill=\"%s\" stroke=\"#333\"/>\n", x, y, width, height,
		colour);
}
