/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* address.c - see address.h. It spells addresses; it never resolves names. */
#include <arpa/inet.h>
#include <string.h>

#include "model/address.h"

_Static_assert(ADDRESS_TEXT_LEN == INET6_ADDRSTRLEN, "room for every address");

static const uint8_t ipv4_mapped[12] = {[10] = 0xFF, [11] = 0xFF};

void address_format(const uint8_t addr[16], char text[ADDRESS_TEXT_LEN])
{
	if (memcmp(addr, ipv4_mapped, sizeof(ipv4_mapped)) == 0)
		inet_ntop(AF_INET, addr + sizeof(ipv4_mapped), text, ADDRESS_TEXT_LEN);
	else
		inet_ntop(AF_INET6, addr, text, ADDRESS_TEXT_LEN);
}

bool address_parse(const char *text, uint8_t addr[16])
{
	uint8_t parsed[16];

	memcpy(parsed, ipv4_mapped, sizeof(ipv4_mapped));
	if (inet_pton(AF_INET, text, parsed + sizeof(ipv4_mapped)) != 1 &&
	    inet_pton(AF_INET6, text, parsed) != 1)
		return false;
	memcpy(addr, parsed, sizeof(parsed));
	return true;
}
