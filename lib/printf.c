/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted output into a buffer; include/lib/printf.h lists what it knows.
 *
 * Owns    nothing; the caller's buffer only.
 * Not     floating point, wide characters, %n (never).
 * Locks   none; pure function.
 * Bounds  field width and precision are limited to FIELD_MAX.
 */
#include <lib/printf.h>

#include <stdint.h>

#define FIELD_MAX 1024
#define DIGITS_MAX 24 /* 2^64 in decimal or hexadecimal, with a sign */

struct out {
	char *buf;
	size_t size;
	size_t len; /* characters of the whole text so far */
};

/* One conversion, decoded. */
struct spec {
	bool left;
	bool zero;
	bool alt;
	bool has_precision;
	int width;
	int precision;
	int length; /* -2 hh, -1 h, 0 int, 1 l and z, 2 ll */
};

static void out_char(struct out *o, char c)
{
	if (o->len + 1 < o->size) {
		o->buf[o->len] = c;
	}
	o->len++;
}

static void out_fill(struct out *o, char c, int n)
{
	for (; n > 0; n--) {
		out_char(o, c);
	}
}

static void out_text(struct out *o, const struct spec *s, const char *text,
		     int len)
{
	int pad = s->width - len;
	int i;

	if (!s->left) {
		out_fill(o, ' ', pad);
	}
	for (i = 0; i < len; i++) {
		out_char(o, text[i]);
	}
	if (s->left) {
		out_fill(o, ' ', pad);
	}
}

static void out_string(struct out *o, const struct spec *s, const char *text)
{
	int max = s->has_precision ? s->precision : INT32_MAX;
	int len = 0;

	if (!text) {
		text = "(null)";
	}
	while (len < max && text[len] != '\0') {
		len++;
	}
	out_text(o, s, text, len);
}

/* @prefix is "", "-" or "0x". */
static void out_number(struct out *o, const struct spec *s, uint64_t v,
		       unsigned int base, bool upper, const char *prefix)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[DIGITS_MAX];
	int n = 0;
	int zeros;
	int nr_prefix = 0;
	int pad;

	while (v != 0 || (n == 0 && !(s->has_precision && !s->precision))) {
		digits[n++] = set[v % base];
		v /= base;
	}
	while (prefix[nr_prefix] != '\0') {
		nr_prefix++;
	}
	zeros = s->has_precision && s->precision > n ? s->precision - n : 0;
	if (s->zero && !s->left && !s->has_precision &&
	    s->width > n + nr_prefix) {
		zeros = s->width - n - nr_prefix;
	}
	pad = s->width - n - zeros - nr_prefix;
	if (!s->left) {
		out_fill(o, ' ', pad);
	}
	for (; *prefix != '\0'; prefix++) {
		out_char(o, *prefix);
	}
	out_fill(o, '0', zeros);
	while (n > 0) {
		out_char(o, digits[--n]);
	}
	if (s->left) {
		out_fill(o, ' ', pad);
	}
}

static uint64_t truncate_unsigned(uint64_t v, int length)
{
	switch (length) {
	case -2:
		return (uint8_t)v;
	case -1:
		return (uint16_t)v;
	case 0:
		return (uint32_t)v;
	default:
		return v;
	}
}

static int64_t truncate_signed(int64_t v, int length)
{
	switch (length) {
	case -2:
		return (int8_t)v;
	case -1:
		return (int16_t)v;
	default:
		return v;
	}
}

static int parse_count(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++) {
		n = n * 10 + (**fmt - '0');
		n = n > FIELD_MAX ? FIELD_MAX : n;
	}
	return n;
}

static void parse_flags(const char **fmt, struct spec *s)
{
	for (;; (*fmt)++) { /* bound: flags in the format string */
		if (**fmt == '-') {
			s->left = true;
		} else if (**fmt == '0') {
			s->zero = true;
		} else if (**fmt == '#') {
			s->alt = true;
		} else {
			return;
		}
	}
}

static int clamp_field(int n)
{
	return n > FIELD_MAX ? FIELD_MAX : n;
}

static void parse_length(const char **fmt, struct spec *s)
{
	for (;; (*fmt)++) { /* bound: length letters in the format string */
		if (**fmt == 'l') {
			s->length++;
		} else if (**fmt == 'h') {
			s->length--;
		} else if (**fmt == 'z') {
			s->length = 1;
		} else {
			return;
		}
	}
}

/* The arguments that are int by the language's promotion come as int. */
struct args {
	va_list ap;
};

static void parse_spec(const char **fmt, struct spec *s, struct args *a)
{
	parse_flags(fmt, s);
	if (**fmt == '*') {
		s->width = va_arg(a->ap, int);
		(*fmt)++;
		if (s->width < 0) {
			s->left = true;
			s->width = s->width < -FIELD_MAX ? FIELD_MAX
							 : -s->width;
		}
		s->width = clamp_field(s->width);
	} else {
		s->width = parse_count(fmt);
	}
	if (**fmt == '.') {
		(*fmt)++;
		s->has_precision = true;
		if (**fmt == '*') {
			s->precision = va_arg(a->ap, int);
			(*fmt)++;
			s->has_precision = s->precision >= 0;
			/* A limit for strings, so large values are fine. */
		} else {
			s->precision = parse_count(fmt);
		}
	}
	parse_length(fmt, s);
}

static uint64_t next_unsigned(const struct spec *s, struct args *a)
{
	if (s->length > 1) {
		return va_arg(a->ap, unsigned long long);
	}
	if (s->length == 1) {
		return va_arg(a->ap, unsigned long);
	}
	return truncate_unsigned(va_arg(a->ap, unsigned int), s->length);
}

static int64_t next_signed(const struct spec *s, struct args *a)
{
	if (s->length > 1) {
		return va_arg(a->ap, long long);
	}
	if (s->length == 1) {
		return va_arg(a->ap, long);
	}
	return truncate_signed(va_arg(a->ap, int), s->length);
}

static void out_signed(struct out *o, const struct spec *s, int64_t v)
{
	uint64_t mag = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	out_number(o, s, mag, 10, false, v < 0 ? "-" : "");
}

static void out_conversion(struct out *o, struct spec *s, char conv,
			   struct args *a)
{
	uint64_t u;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		out_signed(o, s, next_signed(s, a));
		break;
	case 'u':
		out_number(o, s, next_unsigned(s, a), 10, false, "");
		break;
	case 'x':
	case 'X':
		u = next_unsigned(s, a);
		out_number(o, s, u, 16, conv == 'X',
			   !s->alt || u == 0 ? "" : conv == 'X' ? "0X" : "0x");
		break;
	case 'p':
		u = (uint64_t)(uintptr_t)va_arg(a->ap, void *);
		out_number(o, s, u, 16, false, "0x");
		break;
	case 'c':
		c = (char)va_arg(a->ap, int);
		out_text(o, s, &c, 1);
		break;
	case 's':
		out_string(o, s, va_arg(a->ap, const char *));
		break;
	default: /* unknown: shown as it is, so that it is noticed */
		out_char(o, '%');
		out_char(o, conv);
		break;
	}
}

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct args a;

	va_copy(a.ap, ap);
	for (; *fmt != '\0'; fmt++) {
		struct spec s = { 0 };

		if (*fmt != '%') {
			out_char(&o, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '%') {
			out_char(&o, '%');
			continue;
		}
		parse_spec(&fmt, &s, &a);
		if (*fmt == '\0') {
			break; /* a lone '%' at the end */
		}
		out_conversion(&o, &s, *fmt, &a);
	}
	va_end(a.ap);
	if (size > 0) {
		buf[o.len < size ? o.len : size - 1] = '\0';
	}
	return o.len > INT32_MAX ? INT32_MAX : (int)o.len;
}

int hv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = hv_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
