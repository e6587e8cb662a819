/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SALLYPORT_LIB_TABLES_H
#define SALLYPORT_LIB_TABLES_H
/* Reading the decision tables of a slot: abi/types.h, "cells". Past an end is a deny. */
#include "packet.h"
#include "view.h"

static __always_inline int read_cell(const struct view *v, __u32 index, __u16 *word)
{
	__u32 slot = v->slot, chunk = index / SP_CHUNK_WORDS;
	const struct sp_chunk *c;
	void *cells = bpf_map_lookup_elem(&sp_cells, &slot);

	if (!cells)
		return 0;
	c = bpf_map_lookup_elem(cells, &chunk);
	if (!c)
		return 0;
	*word = c->words[index % SP_CHUNK_WORDS];
	return 1;
}

static __always_inline __u32 service_place(__u8 proto, __u16 port)
{
	switch (proto) {
	case SP_PROTO_TCP:
		return SP_LINE_TCP + port;
	case SP_PROTO_UDP:
		return SP_LINE_UDP + port;
	case SP_PROTO_SCTP:
		return SP_LINE_SCTP + port;
	case SP_PROTO_UDPLITE:
		return SP_LINE_UDPLITE + port;
	case SP_PROTO_ICMP:
		return SP_LINE_ICMP4 + (port & 0xff);
	case SP_PROTO_ICMP6:
		return SP_LINE_ICMP6 + (port & 0xff);
	default:
		return SP_LINE_PROTO + proto;
	}
}

static __always_inline int port_class(const struct view *v, __u32 direction, __u8 proto, __u16 port,
				      __u16 *class)
{
	__u32 place = direction * SP_LINE_END + service_place(proto, port);
	__u32 slot = v->slot, chunk = place / SP_CHUNK_WORDS;
	const struct sp_chunk *c;
	void *ports = bpf_map_lookup_elem(&sp_ports, &slot);

	if (!ports)
		return 0;
	c = bpf_map_lookup_elem(ports, &chunk);
	if (!c)
		return 0;
	*class = c->words[place % SP_CHUNK_WORDS];
	return 1;
}

#endif
