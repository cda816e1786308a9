/* SPDX-License-Identifier: Apache-2.0 */
/* A console key; the tables end with key 0. */
#ifndef HV_CONSOLE_KEYS_H
#define HV_CONSOLE_KEYS_H

struct console_key {
	char key;
	const char *help;
	void (*fn)(void);
};

/* debug/: keys of the checking build only; release/ has none. */
extern const struct console_key debug_keys[];

#endif
