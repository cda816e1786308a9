/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xen_version: what guests and tools are told about us.
 *
 * Owns    these answers. The kernel goes by the features, the toolstack by
 *         the version and the capabilities.
 * Not     features of a domain: d->features, set by its builder.
 * Rule    no dates, no paths: the same sources give the same image.
 * Spec    [XEN] version.h; docs/abi.md "xen_version".
 */
#include <hv/hypercall.h>

#include <hv/domain.h>
#include <hv/platform.h>
#include <lib/errno.h>
#include <lib/string.h>

#define VERSION_MAJOR 4
#define VERSION_MINOR 17

/* Set by the build from the commit; see tools/build. */
#ifndef BULKHEAD_CHANGESET
#define BULKHEAD_CHANGESET "unknown"
#endif

#define BUILD_ID_SIZE 20u

static const char extraversion[sizeof(xen_extraversion_t)] = ".7-bulkhead";
static const char capabilities[] = "xen-3.0-aarch64 ";
static const char changeset[XEN_CHANGESET_INFO_LEN] = BULKHEAD_CHANGESET;
static const struct xen_compile_info compile_info = {
	.compiler = __VERSION__,
	.compile_by = "bulkhead",
	.compile_domain = "",
	.compile_date = "",
};
static const struct xen_platform_parameters platform_parameters = {
	.virt_start = 0x200000,
};
static const char denied[] = "<denied>";

__cold static int64_t version_features(struct vcpu *v, union hc_arg *arg)
{
	xen_feature_info_t *f = &arg->feature_info;

	if (f->submap_idx != 0) {
		return -EINVAL;
	}
	f->submap = v->domain->features;
	return 0;
}

static const struct hc_subop features_op =
	SUBOP(feature_info, version_features, HC_IN | HC_OUT, HC_ANY);

__cold static int64_t version_build_id(struct vcpu *v, uint64_t uarg)
{
	/* The changeset names the build as well as a hash of it would. */
	uint64_t buf = uarg + offsetof(struct xen_build_id, buf);
	uint32_t len;
	int rc;

	if (!hc_permitted(v, HC_CTRL)) {
		return -EPERM;
	}
	if (uarg == 0) {
		return BUILD_ID_SIZE;
	}
	rc = guest_copy_in(v, &len, uarg, sizeof(len));
	if (rc) {
		return rc;
	}
	if (len == 0) {
		return -EINVAL;
	}
	if (len < BUILD_ID_SIZE) {
		return -ENOBUFS;
	}
	rc = guest_copy_out(v, buf, changeset, BUILD_ID_SIZE);
	return rc ? rc : (int64_t)BUILD_ID_SIZE;
}

__cold static int64_t version_commandline(struct vcpu *v, uint64_t uarg)
{
	if (!hc_permitted(v, HC_CTRL)) {
		return guest_copy_out(v, uarg, denied, sizeof(denied));
	}
	return guest_copy_out(v, uarg, platform.hv_cmdline,
			      sizeof(platform.hv_cmdline));
}
STATIC_ASSERT(sizeof(platform.hv_cmdline) == sizeof(xen_commandline_t),
	      "copied whole");

/* A long text, of which most is zeros that the image need not hold. */
__cold static int64_t version_capabilities(struct vcpu *v, uint64_t uarg)
{
	char piece[64] = { 0 };
	int rc = 0;

	memcpy(piece, capabilities, sizeof(capabilities));
	for (uint32_t at = 0; at < XEN_CAPABILITIES_INFO_LEN && rc == 0;
	     at += sizeof(piece)) {
		rc = guest_copy_out(v, uarg + at, piece, sizeof(piece));
		memset(piece, 0, sizeof(piece));
	}
	return rc;
}
STATIC_ASSERT(XEN_CAPABILITIES_INFO_LEN % 64 == 0, "copied whole");

/* The calls with an argument. */
__cold static int64_t version_out(struct vcpu *v, uint32_t cmd, uint64_t uarg)
{
	switch (cmd) {
	case XENVER_extraversion:
		return guest_copy_out(v, uarg, extraversion,
				      sizeof(extraversion));
	case XENVER_compile_info:
		return guest_copy_out(v, uarg, &compile_info,
				      sizeof(compile_info));
	case XENVER_capabilities:
		return version_capabilities(v, uarg);
	case XENVER_changeset:
		return guest_copy_out(v, uarg, changeset, sizeof(changeset));
	case XENVER_platform_parameters:
		return guest_copy_out(v, uarg, &platform_parameters,
				      sizeof(platform_parameters));
	case XENVER_get_features:
		return hypercall_subop(v, &features_op, 1, 0, uarg);
	case XENVER_pagesize:
		return uarg != 0 ? -EINVAL : (int64_t)PAGE_SIZE;
	case XENVER_guest_handle:
		return guest_copy_out(v, uarg, v->domain->handle,
				      sizeof(v->domain->handle));
	case XENVER_commandline:
		return version_commandline(v, uarg);
	case XENVER_build_id:
		return version_build_id(v, uarg);
	default:
		return -ENOSYS;
	}
}

int64_t hc_xen_version(struct vcpu *v, const uint64_t *args)
{
	uint32_t cmd = (uint32_t)args[0];

	/* Also what guests measure as the cost of an empty hypercall. */
	if (likely(cmd == XENVER_version)) {
		return VERSION_MAJOR << 16 | VERSION_MINOR;
	}
	return version_out(v, cmd, args[1]);
}
