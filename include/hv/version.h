/* SPDX-License-Identifier: Apache-2.0 */
/* Our own version, and the interface version we answer to. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

#define HV_VERSION_STRING "0.1"

#endif
