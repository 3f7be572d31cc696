/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * address.h - network addresses as text and back. 16 bytes in network order, IPv4 as
 * ::ffff:a.b.c.d, which is spelled "a.b.c.d".
 */
#ifndef MEMSWELL_ADDRESS_H
#define MEMSWELL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_TEXT_LEN 46 /* the longest IPv6 spelling and its NUL */

void address_format(const uint8_t addr[16], char text[ADDRESS_TEXT_LEN]);

/* False, and addr untouched, if `text` is neither an IPv4 nor an IPv6 address. */
bool address_parse(const char *text, uint8_t addr[16]);

#endif
