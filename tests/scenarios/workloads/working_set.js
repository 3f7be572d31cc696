// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// working_set.js - a service that needs a certain amount of memory and then no more: it keeps each of
// a fixed number of entries once somebody has asked for it.
//   --port N      where to listen on 127.0.0.1
//   --mib N       all entries together
//   --entries N   how many there are (default 3000)
// Requests ask for random entries, so it fills ever more slowly.
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	mib: { type: 'string' },
	entries: { type: 'string', default: '3000' },
} });
const entries = Number(values.entries);
const rows = Number(values.mib) * (1 << 20) / entries / 150;
const cache = new Map();

function load(key) {
	const entry = [];
	for (let i = 0; i < rows; i++)
		entry.push({ id: key, name: 'row' + i + Math.random() });
	return entry;
}

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		for (let i = 0; i < 4; i++) {
			const key = Math.floor(Math.random() * entries);
			if (!cache.has(key))
				cache.set(key, load(key));
		}
		response.end('ok');
	});
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
