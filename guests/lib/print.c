/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf for guests: d u x p s c, with l, z, zero and width. Each call is
 * formatted into one buffer and leaves by one console hypercall, so lines of
 * several CPUs do not mix.
 */
#include "guest.h"

struct out {
	char buf[512];
	size_t n;
};

static void put(struct out *o, char c)
{
	if (o->n < sizeof(o->buf)) {
		o->buf[o->n++] = c;
	}
}

static void put_number(struct out *o, uint64_t v, unsigned int base,
		       unsigned int width, char fill)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width > n) {
		put(o, fill);
		width--;
	}
	while (n) {
		put(o, digits[--n]);
	}
}

static void put_string(struct out *o, const char *s, unsigned int width)
{
	unsigned int n = 0;

	for (; *s; s++, n++) {
		put(o, *s);
	}
	for (; n < width; n++) {
		put(o, ' ');
	}
}

static uint64_t take(va_list *ap, char conv, bool is_long)
{
	if (conv == 'd') {
		return is_long ? (uint64_t)va_arg(*ap, long) :
				 (uint64_t)(int64_t)va_arg(*ap, int);
	}
	return is_long ? va_arg(*ap, unsigned long) :
			 va_arg(*ap, unsigned int);
}

static void convert(struct out *o, char conv, bool is_long, unsigned int width,
		    char fill, va_list *ap)
{
	uint64_t v;

	switch (conv) {
	case 's':
		put_string(o, va_arg(*ap, const char *), width);
		return;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		return;
	case 'p':
		put_string(o, "0x", 0);
		put_number(o, va_arg(*ap, uint64_t), 16, 0, '0');
		return;
	case 'd':
	case 'u':
	case 'x':
		v = take(ap, conv, is_long);
		if (conv == 'd' && (int64_t)v < 0) {
			put(o, '-');
			v = -v;
		}
		put_number(o, v, conv == 'x' ? 16 : 10, width, fill);
		return;
	default:
		put(o, conv);
		return;
	}
}

int printf(const char *fmt, ...)
{
	struct out o = { .n = 0 };
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		unsigned int width = 0;
		bool is_long = false;
		char fill = ' ';

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		if (*++fmt == '0') {
			fill = '0';
		}
		while (*fmt >= '0' && *fmt <= '9') {
			width = width * 10 + (unsigned int)(*fmt++ - '0');
		}
		while (*fmt == 'l' || *fmt == 'z') {
			is_long = true;
			fmt++;
		}
		convert(&o, *fmt, is_long, width, fill, &ap);
	}
	va_end(ap);
	console_write(o.buf, o.n);
	return (int)o.n;
}
