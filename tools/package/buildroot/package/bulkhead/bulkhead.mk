# SPDX-License-Identifier: Apache-2.0
################################################################################
#
# bulkhead
#
################################################################################

BULKHEAD_VERSION = 0.1
# The tree that this package is part of.
BULKHEAD_SITE = $(abspath $(BR2_EXTERNAL_BULKHEAD_PATH)/../../..)
BULKHEAD_SITE_METHOD = local
BULKHEAD_LICENSE = Apache-2.0
BULKHEAD_LICENSE_FILES = LICENSE
BULKHEAD_DEPENDENCIES = dtc xen
BULKHEAD_INSTALL_IMAGES = YES

BULKHEAD_OUT = $(@D)/build

define BULKHEAD_CONFIGURE_CMDS
	$(INSTALL) -d $(BULKHEAD_OUT)/include
	ln -sfn $(STAGING_DIR)/usr/include/xen $(BULKHEAD_OUT)/include/xen
	for f in fdt.h libfdt.h libfdt_env.h; do \
		$(INSTALL) -D -m 0644 $(STAGING_DIR)/usr/include/$$f $(BULKHEAD_OUT)/sysroot/include/$$f || exit 1; \
	done
	$(INSTALL) -D -m 0644 $(STAGING_DIR)/usr/lib/libfdt.a $(BULKHEAD_OUT)/sysroot/lib/libfdt.a
endef

define BULKHEAD_BUILD_CMDS
	$(MAKE) -C $(@D) BUILD=$(BULKHEAD_OUT) SYSROOT=$(BULKHEAD_OUT)/sysroot \
		CROSS_COMPILE=$(TARGET_CROSS) $(BULKHEAD_OUT)/arm64/bulkhead
endef

define BULKHEAD_INSTALL_TARGET_CMDS
	$(INSTALL) -D -m 0644 $(BULKHEAD_OUT)/arm64/bulkhead $(TARGET_DIR)/boot/bulkhead.efi
endef

define BULKHEAD_INSTALL_IMAGES_CMDS
	$(INSTALL) -D -m 0644 $(BULKHEAD_OUT)/arm64/bulkhead $(BINARIES_DIR)/bulkhead
endef

$(eval $(generic-package))
