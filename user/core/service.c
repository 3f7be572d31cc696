/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* service.c - see service.h. */
#include "core/service.h"

#include <string.h>

#define RESTART_WINDOW_NS (600 * NSEC_PER_SEC)

static uint32_t head_of(const struct endpoint *e)
{
	uint64_t low, high;

	memcpy(&high, e->addr, sizeof(high));
	memcpy(&low, e->addr + 8, sizeof(low));
	return hash_u64(hash_u64(high) ^ low ^ (uint64_t)e->netns << 16 ^ e->port ^
			(uint64_t)e->node << 48) %
	       SERVICE_HEADS;
}

static void unlink_service(struct services *t, uint16_t index)
{
	uint16_t *link = &t->heads[head_of(&t->all[index].local)];

	while (*link != index)
		link = &t->all[*link].next;
	*link = t->all[index].next;
}

/* The address unused for longest among those without listener; 0 if all have one. */
static uint16_t evict(struct services *t)
{
	uint16_t victim = 0;

	for (uint16_t i = 1; i <= t->nr; i++) {
		if (!t->all[i].up && (!victim || t->all[i].seen_ns < t->all[victim].seen_ns))
			victim = i;
	}
	if (victim)
		unlink_service(t, victim);
	else
		t->refused++;
	return victim;
}

static uint16_t find(const struct services *t, const struct endpoint *local)
{
	uint16_t i = t->heads[head_of(local)];

	while (i && !endpoint_equal(&t->all[i].local, local))
		i = t->all[i].next;
	return i;
}

struct service *service_get(struct services *t, const struct endpoint *local, uint64_t ts_ns)
{
	uint16_t *head = &t->heads[head_of(local)];
	uint16_t i = find(t, local);

	if (!i) {
		i = t->nr < SERVICE_MAX ? ++t->nr : evict(t);
		if (!i)
			return NULL;
		memset(&t->all[i], 0, sizeof(t->all[i]));
		t->all[i].local = *local;
		t->all[i].first_ns = ts_ns;
		t->all[i].next = *head;
		*head = i;
	}
	t->all[i].seen_ns = max_u64(t->all[i].seen_ns, ts_ns);
	return &t->all[i];
}

void service_serve(struct service *s, const struct proc_id *proc, uint64_t ts_ns, bool owner)
{
	struct service_member *oldest = &s->members[0];

	if (!proc->tgid)
		return;
	for (int i = 0; i < s->nr_members; i++) {
		struct service_member *m = &s->members[i];

		if (proc_id_equal(&m->proc, proc)) {
			m->seen_ns = max_u64(m->seen_ns, ts_ns);
			m->owner |= owner;
			return;
		}
		if (m->seen_ns < oldest->seen_ns)
			oldest = m;
	}
	if (s->nr_members < SERVICE_MEMBERS)
		oldest = &s->members[s->nr_members++];
	*oldest = (struct service_member){*proc, ts_ns, owner};
}

static struct service_sock *find_sock(struct service *s, uint64_t id)
{
	for (int i = 0; i < s->nr_socks; i++)
		if (s->socks[i].id == id)
			return &s->socks[i];
	return NULL;
}

static void listener_up(struct service *s, uint64_t ts_ns, const struct record_listener *listener,
			uint64_t *outage_ns)
{
	struct service_sock *sock = find_sock(s, listener->sock_id);

	if (!sock && s->nr_socks < SERVICE_SOCKS)
		sock = &s->socks[s->nr_socks++];
	if (sock)
		*sock = (struct service_sock){listener->sock_id, listener->owner};
	else
		s->uncertain = true;
	s->newest_owner = listener->owner;
	if (s->up)
		return;
	s->up = true;
	if (listener->state == LISTENER_FOUND)
		return;
	s->up_ns = ts_ns;
	if (!s->down_ns)
		return;
	*outage_ns = since_ns(ts_ns, s->down_ns);
	s->restarts++;
	s->restart_ns[s->restart_head] = ts_ns;
	s->restart_head = (uint8_t)((s->restart_head + 1) % SERVICE_RESTARTS);
}

/* Who held it matters more than who was running when its last reference went. */
static void listener_down(struct service *s, uint64_t ts_ns, const struct record_listener *listener)
{
	struct service_sock *sock = find_sock(s, listener->sock_id);

	if (sock)
		*sock = s->socks[--s->nr_socks];
	if (s->nr_socks || s->uncertain)
		return;
	s->up = false;
	s->down_ns = ts_ns;
}

struct service *service_listener(struct services *t, uint64_t ts_ns,
				 const struct record_listener *listener, uint64_t *outage_ns)
{
	struct service *s = service_get(t, &listener->local, ts_ns);

	*outage_ns = 0;
	if (!s)
		return NULL;
	service_serve(s, &listener->owner, ts_ns, true);
	if (listener->state == LISTENER_DOWN)
		listener_down(s, ts_ns, listener);
	else
		listener_up(s, ts_ns, listener, outage_ns);
	return s;
}

uint32_t service_restarts(const struct service *s, uint64_t now_ns)
{
	uint32_t n = 0;

	for (int i = 0; i < SERVICE_RESTARTS; i++)
		n += s->restart_ns[i] && since_ns(now_ns, s->restart_ns[i]) < RESTART_WINDOW_NS;
	return n;
}

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t zero[16];

static bool is_v4(const uint8_t *addr)
{
	return memcmp(addr, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* 0.0.0.0 takes IPv4; :: takes both, unless it was told not to, which nobody tells us. */
static bool is_wildcard_for(const uint8_t *local, const uint8_t *upstream)
{
	if (is_v4(local))
		return memcmp(local + 12, zero, 4) == 0 && is_v4(upstream);
	return memcmp(local, zero, 16) == 0;
}

static bool is_loopback(const uint8_t *addr)
{
	if (is_v4(addr))
		return addr[12] == 127;
	return memcmp(addr, zero, 15) == 0 && addr[15] == 1;
}

struct endpoint service_fold_loopback(const struct endpoint *e)
{
	static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
	struct endpoint folded = *e;

	if (!is_v4(e->addr) && is_loopback(e->addr))
		memcpy(folded.addr, loopback, sizeof(loopback));
	return folded;
}

static enum service_match match_folded(const struct endpoint *local,
				       const struct endpoint *upstream)
{
	bool exact = memcmp(local->addr, upstream->addr, sizeof(local->addr)) == 0;
	bool other_node = local->node != upstream->node;
	bool cross = local->netns && upstream->netns && local->netns != upstream->netns;

	if (local->port != upstream->port || !local->port)
		return MATCH_NONE;
	if (!exact && !is_wildcard_for(local->addr, upstream->addr))
		return MATCH_NONE;
	if (!cross && !other_node)
		return exact ? MATCH_EXACT : MATCH_WILDCARD;
	if (is_loopback(upstream->addr))
		return MATCH_NONE;
	if (other_node)
		return exact ? MATCH_NODE_EXACT : MATCH_NODE_WILDCARD;
	return exact ? MATCH_CROSS_EXACT : MATCH_CROSS_WILDCARD;
}

enum service_match service_match(const struct endpoint *local, const struct endpoint *upstream)
{
	struct endpoint l, u;

	if (local->port != upstream->port)
		return MATCH_NONE;
	l = service_fold_loopback(local);
	u = service_fold_loopback(upstream);
	return match_folded(&l, &u);
}

/* Same namespace counts as one rank, wildcard or not: they are the same listeners. */
static enum service_match rank(enum service_match match)
{
	return match == MATCH_EXACT ? MATCH_WILDCARD : match;
}

/* A network namespace that has candidates, and for how long they have been seen. */
struct place {
	uint32_t netns;
	uint16_t node;
	bool up;
	uint64_t first_ns;
	uint64_t last_ns;
};

#define PLACES 8

struct search {
	enum service_match best;
	struct place places[PLACES];
	uint32_t nr_places;
	bool too_many;
};

static bool is_at(const struct service *s, const struct place *place)
{
	return s->local.netns == place->netns && s->local.node == place->node;
}

static void add_place(struct search *search, const struct service *s)
{
	struct place *place = search->places;

	while (place < search->places + search->nr_places && !is_at(s, place))
		place++;
	if (place == search->places + PLACES) {
		search->too_many = true;
		return;
	}
	if (place == search->places + search->nr_places) {
		search->nr_places++;
		*place = (struct place){
			.netns = s->local.netns, .node = s->local.node, .first_ns = s->first_ns};
	}
	place->up |= s->up;
	place->first_ns = min_u64(place->first_ns, s->first_ns);
	place->last_ns = max_u64(place->last_ns, s->seen_ns);
}

/* Where the search leads: to the only place, or to where the address moved; NULL if nobody can tell. */
static const struct place *only_place(const struct search *search)
{
	const struct place *newest = &search->places[0];

	for (uint32_t i = 1; i < search->nr_places; i++)
		if (search->places[i].first_ns > newest->first_ns)
			newest = &search->places[i];
	for (uint32_t i = 0; i < search->nr_places; i++) {
		const struct place *p = &search->places[i];

		if (p != newest && (p->up || p->last_ns >= newest->first_ns))
			return NULL;
	}
	return search->too_many ? NULL : newest;
}

/* Beside an exact address elsewhere, wildcards of the same place are the same listeners. */
static bool belongs(enum service_match match, enum service_match best)
{
	if (best == MATCH_CROSS_EXACT)
		return match == best || match == MATCH_CROSS_WILDCARD;
	if (best == MATCH_NODE_EXACT)
		return match == best || match == MATCH_NODE_WILDCARD;
	return match == best;
}

static void search_best(const struct services *t, const struct endpoint *upstream,
			struct search *search)
{
	for (uint16_t i = 1; i <= t->nr; i++) {
		const struct service *s = &t->all[i];
		enum service_match match = rank(service_match(&s->local, upstream));

		if (!match || match < search->best)
			continue;
		if (match > search->best) {
			search->best = match;
			search->nr_places = 0;
			search->too_many = false;
		}
		if (match != MATCH_WILDCARD)
			add_place(search, s);
	}
}

/* Who listens on any address there is in the same place; it tells whether that is still in use. */
static void add_wildcards(const struct services *t, const struct endpoint *upstream,
			  struct search *search)
{
	for (uint16_t i = 1; i <= t->nr; i++) {
		const struct service *s = &t->all[i];
		enum service_match match = service_match(&s->local, upstream);

		if (!match || match == search->best || !belongs(match, search->best))
			continue;
		for (uint32_t p = 0; p < search->nr_places; p++)
			search->places[p].up |= s->up && is_at(s, &search->places[p]);
	}
}

uint32_t service_find(struct services *t, const struct endpoint *upstream,
		      struct service *found[SERVICE_FOUND_MAX])
{
	const struct place *place = NULL;
	struct search search = {0};
	uint32_t n = 0;

	search_best(t, upstream, &search);
	if (search.best <= MATCH_NODE_WILDCARD)
		return 0;
	if (search.best != MATCH_WILDCARD) {
		add_wildcards(t, upstream, &search);
		place = only_place(&search);
		if (!place)
			return 0;
	}
	for (uint16_t i = 1; i <= t->nr && n < SERVICE_FOUND_MAX; i++) {
		enum service_match match = rank(service_match(&t->all[i].local, upstream));

		if (belongs(match, search.best) && (!place || is_at(&t->all[i], place)))
			found[n++] = &t->all[i];
	}
	return n;
}

/* Counting ------------------------------------------------------------------------------------- */

static bool is_listener(const struct service *s)
{
	return s->nr_socks || s->up_ns || s->down_ns || s->newest_owner.tgid;
}

static bool is_wildcard(const struct endpoint *e)
{
	return memcmp(e->addr, zero, 16) == 0 ||
	       (is_v4(e->addr) && memcmp(e->addr + 12, zero, 4) == 0);
}

/* The entry that listens on any address of that family, 0 if there is none. */
static uint16_t find_wildcard(const struct services *t, const struct endpoint *local, bool v4)
{
	struct endpoint any = *local;
	uint16_t i;

	memset(any.addr, 0, sizeof(any.addr));
	if (v4)
		memcpy(any.addr, v4_prefix, sizeof(v4_prefix));
	i = find(t, &any);
	return i && is_listener(&t->all[i]) ? i : 0;
}

static uint16_t bound_of(const struct services *t, uint16_t index)
{
	const struct service *s = &t->all[index];
	uint16_t i = 0;

	if (is_listener(s) || is_wildcard(&s->local))
		return index;
	if (is_v4(s->local.addr))
		i = find_wildcard(t, &s->local, true);
	if (!i)
		i = find_wildcard(t, &s->local, false);
	return i ? i : index;
}

const struct service *service_bound(const struct services *t, const struct service *s)
{
	return &t->all[bound_of(t, (uint16_t)(s - t->all))];
}

void service_count_requests(struct services *t, struct service *s, uint64_t n)
{
	struct service *bound = &t->all[bound_of(t, (uint16_t)(s - t->all))];

	s->requests = add_u64(s->requests, n);
	if (bound != s)
		bound->requests = add_u64(bound->requests, n);
}

static bool has_member(const struct service *s, const struct proc_id *proc)
{
	for (int i = 0; i < s->nr_members; i++)
		if (proc_id_equal(&s->members[i].proc, proc))
			return true;
	return false;
}

/*
 * A worker stands behind the addresses it answered on, its master behind the wildcard it listens on;
 * who looks at either wants to see both.
 */
void service_count_death(struct services *t, const struct service_death *death)
{
	bool counts[SERVICE_MAX + 1] = {false};

	for (uint16_t i = 1; i <= t->nr; i++)
		if (has_member(&t->all[i], &death->proc))
			counts[i] = counts[bound_of(t, i)] = true;
	for (uint16_t i = 1; i <= t->nr; i++) {
		struct service *s = &t->all[i];
		uint16_t bound = bound_of(t, i);
		bool is_owner = bound != i && has_member(&t->all[bound], &death->proc);

		if (!counts[i] && !is_owner)
			continue;
		s->deaths[death->kind]++;
		s->died_ns[death->kind] = death->ts_ns;
		s->died[death->kind] = death->proc;
	}
}

uint32_t service_answered_at(const struct services *t, const struct proc_id *proc,
			     struct endpoint *out, uint32_t max)
{
	uint32_t n = 0;

	for (uint16_t i = 1; i <= t->nr && n < max; i++) {
		const struct service *s = &t->all[i];

		if (!is_wildcard(&s->local) && has_member(s, proc))
			out[n++] = s->local;
	}
	return n;
}
