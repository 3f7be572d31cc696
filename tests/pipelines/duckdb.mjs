// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// duckdb.mjs NODE_MODULES SQL LINES SLACK_S QUERY - runs the statements of a file in DuckDB over lines of
// memswell's output, then QUERY, and prints each of its rows as a line of JSON.
import { createRequire } from 'module';
const [modules, sql, lines, slack, query] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(modules + '/')('@duckdb/node-api');
import { readFileSync } from 'fs';
const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run(`SET VARIABLE memswell_lines = '${lines}'`);
await db.run(`SET VARIABLE memswell_clock_slack = INTERVAL ${Number(slack)} SECOND`);
for (const s of readFileSync(sql, 'utf8').replace(/^--.*$/gm, '').split(';'))
	if (s.trim()) await db.run(s);
const r = await db.runAndReadAll(query);
for (const row of r.getRowObjectsJson()) console.log(JSON.stringify(row));
