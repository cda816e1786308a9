/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel and ramdisk from the folder that the image was started from, as a
 * configuration file there says.
 *
 * Owns    nothing: what is loaded stays where the firmware gave pages for it.
 * CPU     the boot CPU under the firmware: position independent, see efi.c.
 * Bounds  PATH_MAX characters of a path; files as large as memory.
 * Spec    [UEFI] 10.3.4 "Media Device Path", 13.4 "Simple File System
 *         Protocol", 13.5 "File Protocol".
 */
#include "efi_load.h"
#include "efi_cfg.h"

#include <lib/bits.h>
#include <lib/errno.h>
#include <lib/string.h>

#define PATH_MAX   256u /* characters, with the NUL */
#define FILE_READ  UINT64_C(1)
#define FILE_END   UINT64_MAX
#define PATH_MEDIA 4u
#define PATH_FILE  4u
#define PATH_STOP  0x7fu

struct folder {
	const struct efi *e;
	struct efi_file *root;
	uint16_t path[PATH_MAX]; /* of the image, ends with a NUL */
	uint32_t len;		 /* up to its last '\' and with it */
};

#define TEXT(literal) ((struct efi_text){literal, sizeof(literal) - 1})

static const struct efi_guid loaded_image_id = {
	0x5b1b31a1,
	0x9562,
	0x11d2,
	{0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b},
};

static const struct efi_guid file_system_id = {
	0x964e5b22,
	0x6459,
	0x11d2,
	{0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b},
};

/* The image's path on its file system; "" when its device path has none. */
static void read_path(struct folder *f, const struct efi_path_node *n)
{
	while (n && n->type != PATH_STOP) { /* bound: the firmware's list */
		uint32_t len = n->length[0] | (uint32_t)n->length[1] << 8;
		const uint8_t *text = (const uint8_t *)(n + 1);

		if (len < sizeof(*n)) {
			break;
		}
		if (n->type == PATH_MEDIA && n->subtype == PATH_FILE &&
		    len - sizeof(*n) <= sizeof(f->path) - sizeof(uint16_t)) {
			memset(f->path, 0, sizeof(f->path));
			memcpy(f->path, text, len - sizeof(*n));
		}
		n = (const struct efi_path_node
			     *)(const void *)((const uint8_t *)n + len);
	}
	f->len = 0;
	for (uint32_t i = 0; f->path[i]; i++) { /* bound: there is a NUL */
		f->len = f->path[i] == '\\' ? i + 1 : f->len;
	}
}

static int open_folder(struct folder *f)
{
	const struct efi *e = f->e;
	struct efi_loaded_image *self = NULL;
	struct efi_file_system *fs = NULL;
	void *p = NULL;

	if (e->boot->handle_protocol(e->image, &loaded_image_id, &p) == 0) {
		self = p;
		p = NULL;
	}
	if (self && self->device &&
	    e->boot->handle_protocol(self->device, &file_system_id, &p) == 0) {
		fs = p;
	}
	if (!fs || fs->open_volume(fs, &f->root)) {
		efi_say(e,
			"nothing to start: the device tree names no kernel "
			"for dom0; load one (GRUB: xen_module FILE ARGUMENTS)");
		return -ENOENT;
	}
	read_path(f, self->path);
	return 0;
}

/* Contents of @name: from the folder, or from the top when it begins so. */
static int read_file(struct folder *f, struct efi_text name,
		     struct mem_range *to)
{
	uint16_t path[PATH_MAX];
	uint32_t n = name.len && (name.s[0] == '/' || name.s[0] == '\\')
			     ? 0
			     : f->len;
	struct efi_file *file;
	uint64_t size = 0;
	uint8_t *data;

	if (name.len >= PATH_MAX - n) {
		return -ENOENT;
	}
	memcpy(path, f->path, n * sizeof(path[0]));
	for (uint32_t i = 0; i < name.len; i++) {
		path[n++] = name.s[i] == '/' ? '\\' : (uint8_t)name.s[i];
	}
	path[n] = 0;
	if (f->root->open(f->root, &file, path, FILE_READ, 0)) {
		return -ENOENT;
	}
	if (file->set_position(file, FILE_END) ||
	    file->get_position(file, &size) || file->set_position(file, 0) ||
	    size == 0 || size > UINT64_MAX / 2) {
		return -EIO;
	}
	data = efi_alloc(f->e, size + 1); /* room for a NUL */
	if (!data) {
		return -ENOMEM;
	}
	*to = (struct mem_range){(uintptr_t)data, size};
	while (size > 0) { /* bound: each reads something */
		uint64_t got = size;

		if (file->read(file, &got, data) || got == 0 || got > size) {
			return -EIO;
		}
		data += got;
		size -= got;
	}
	(void)file->close(file);
	return 0;
}

/* IMAGE.cfg for IMAGE.efi, else xen.cfg. */
static int read_cfg(struct folder *f, struct efi_text *cfg)
{
	char own[PATH_MAX];
	struct mem_range r;
	uint32_t len = 0;
	uint32_t dot;

	for (uint32_t i = f->len; f->path[i]; i++) { /* bound: PATH_MAX */
		own[len++] = (char)f->path[i];
	}
	for (dot = len; dot > 0 && own[dot - 1] != '.'; dot--) {
		/* bound: PATH_MAX */
	}
	len = dot ? dot - 1 : len;
	if (len > PATH_MAX - 4) {
		len = PATH_MAX - 4;
	}
	memcpy(own + len, ".cfg", 4);
	if (read_file(f, (struct efi_text){own, len + 4}, &r) &&
	    read_file(f, TEXT("xen.cfg"), &r)) {
		efi_say(f->e,
			"cannot read %.*s or xen.cfg in the image's "
			"folder; write one with [global], default=NAME, "
			"[NAME], kernel=FILE ARGUMENTS, ramdisk=FILE, "
			"options=WORDS",
			(int)len + 4, own);
		return -ENOENT;
	}
	*cfg = (struct efi_text){(const char *)(uintptr_t)r.start, r.size};
	return 0;
}

/* The file of KEY=FILE ARGUMENTS; no such line: nothing. */
static int read_named(struct folder *f, struct efi_text value, const char *key,
		      struct mem_range *to)
{
	struct efi_text name;
	struct efi_text args;
	int rc;

	efi_cfg_split(value, &name, &args);
	if (name.len == 0) {
		return 0;
	}
	rc = read_file(f, name, to);
	if (rc && rc != -ENOMEM) {
		efi_say(f->e, "configuration file: %s=%.*s: %s", key,
			(int)name.len, name.s,
			rc == -ENOENT ? "no such file; names are relative to "
					"the image's "
					"folder, or begin with /"
				      : "it is empty or cannot be read; copy "
					"it again");
	}
	return rc;
}

/* End a value of the file with a NUL: nothing is looked up after that. */
static const char *text_of(struct efi_text t)
{
	char *s = (char *)(uintptr_t)t.s;

	s[t.len] = 0;
	return s;
}

static int load_section(struct folder *f, struct efi_text cfg,
			struct efi_text section, struct efi_loaded *to)
{
	/* Not TEXT(""): a template of it would hold an address. */
	struct efi_text kernel = {.len = 0};
	struct efi_text ramdisk = kernel;
	struct efi_text dtb = kernel;
	struct efi_text words = kernel;
	struct efi_text args;
	struct efi_text name;

	if (!efi_cfg_find(cfg, section, "kernel", &kernel)) {
		efi_say(f->e,
			"configuration file: [%.*s] has no kernel=; add "
			"it, or name another section in [global] default=",
			(int)section.len, section.s);
		return -ENOENT;
	}
	(void)!efi_cfg_find(cfg, section, "ramdisk", &ramdisk);
	(void)!efi_cfg_find(cfg, section, "dtb", &dtb);
	(void)!efi_cfg_find(cfg, section, "options", &words);
	if (read_named(f, kernel, "kernel", &to->chosen.kernel) ||
	    read_named(f, ramdisk, "ramdisk", &to->chosen.ramdisk) ||
	    read_named(f, dtb, "dtb", &to->dtb)) {
		return -ENOENT;
	}
	efi_cfg_split(kernel, &name, &args);
	to->chosen.kernel_args = args.len ? text_of(args) : "";
	to->chosen.options = words.len ? text_of(words) : "";
	to->is_here = true;
	return 0;
}

int efi_load(const struct efi *e, struct efi_loaded *to)
{
	struct folder f = {.e = e};
	struct efi_text cfg;
	struct efi_text section;

	if (open_folder(&f) || read_cfg(&f, &cfg)) {
		return -ENOENT;
	}
	if (!efi_cfg_find(cfg, TEXT("global"), "default", &section)) {
		efi_say(e, "configuration file: no default= in [global]; name "
			   "the section to start there");
		return -ENOENT;
	}
	return load_section(&f, cfg, section, to);
}
