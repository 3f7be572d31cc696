/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_hash_table.c - the bounded map against a plain array that does the same slowly. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/hash_table.h"

#define NR_KEYS 700
#define LIMIT	500

struct entry {
	uint64_t key;
	uint64_t value;
};

static void check_against(const struct hash_table *table, const uint64_t *values)
{
	for (uint64_t key = 0; key < NR_KEYS; key++) {
		const struct entry *entry = hash_table_find(table, &key);

		if (!values[key]) {
			assert_null(entry);
			continue;
		}
		assert_non_null(entry);
		assert_int_equal(entry->key, key);
		assert_int_equal(entry->value, values[key]);
	}
}

static void it_behaves_like_an_array(void **state)
{
	struct hash_table table;
	uint64_t values[NR_KEYS] = {0};
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	hash_table_init(&table, sizeof(struct entry), sizeof(uint64_t), LIMIT);
	for (uint64_t step = 1; step < 20000; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		uint64_t key = seed % NR_KEYS;

		if (seed >> 60 < 7) {
			hash_table_remove(&table, &key);
			values[key] = 0;
		} else {
			struct entry *entry = hash_table_insert(&table, &key);

			assert_true(entry || table.nr == LIMIT);
			if (!entry)
				continue;
			assert_int_equal(entry->value, values[key]);
			entry->value = values[key] = step;
		}
		if (step % 500 == 0)
			check_against(&table, values);
	}
	check_against(&table, values);
	hash_table_free(&table);
	assert_int_equal(table.nr, 0);
}

static void at_the_limit_known_keys_are_still_found(void **state)
{
	struct hash_table table;

	(void)state;
	hash_table_init(&table, sizeof(struct entry), sizeof(uint64_t), 3);
	for (uint64_t key = 0; key < 3; key++)
		assert_non_null(hash_table_insert(&table, &key));
	assert_null(hash_table_insert(&table, &(uint64_t){3}));
	assert_non_null(hash_table_insert(&table, &(uint64_t){1}));
	hash_table_remove(&table, &(uint64_t){0});
	assert_non_null(hash_table_insert(&table, &(uint64_t){3}));
	hash_table_free(&table);
}

static int is_odd(void *arg, void *entry)
{
	(void)arg;
	return ((struct entry *)entry)->key & 1;
}

static void many_are_removed_at_once(void **state)
{
	struct hash_table table;

	(void)state;
	hash_table_init(&table, sizeof(struct entry), sizeof(uint64_t), LIMIT);
	hash_table_remove_if(&table, is_odd, NULL);
	for (uint64_t key = 0; key < 400; key++)
		hash_table_insert(&table, &key);
	hash_table_remove_if(&table, is_odd, NULL);
	assert_int_equal(table.nr, 200);
	for (uint64_t key = 0; key < 400; key++)
		assert_int_equal(hash_table_find(&table, &key) != NULL, !(key & 1));
	hash_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_behaves_like_an_array),
		cmocka_unit_test(at_the_limit_known_keys_are_still_found),
		cmocka_unit_test(many_are_removed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
