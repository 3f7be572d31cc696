// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// leak.js - an HTTP service that keeps memory for every request it answers.
//   --port N          where to listen
//   --address A       on which address (default 127.0.0.1)
//   --bytes N         how much one request leaves behind (default 40000)
//   --mode heap|numbers|buffer  on the JavaScript heap, there as plain numbers, which cost little to
//                     make where computing is emulated, or in Buffers outside of it (default heap)
//   --delay-ms N      answers that much later (default 0)
// It answers "ok" and never frees; how it dies is up to V8's and the cgroup's limits.
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	address: { type: 'string', default: '127.0.0.1' },
	bytes: { type: 'string', default: '40000' },
	mode: { type: 'string', default: 'heap' },
	'delay-ms': { type: 'string', default: '0' },
} });
const bytes = Number(values.bytes);
const delayMs = Number(values['delay-ms']);
const kept = [];

// Small objects with distinct strings, about 100 bytes each, like parsed session data.
function heapLeak() {
	const rows = [];
	for (let i = 0; i < bytes / 100; i++)
		rows.push({ id: i, name: 'row' + i + Math.random() });
	return rows;
}

function bufferLeak() {
	return Buffer.alloc(bytes, 1);
}

function numbersLeak() {
	return new Array(Math.ceil(bytes / 8)).fill(kept.length);
}

const leak = { heap: heapLeak, numbers: numbersLeak, buffer: bufferLeak }[values.mode];

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		kept.push(leak());
		if (delayMs)
			setTimeout(() => response.end('ok'), delayMs);
		else
			response.end('ok');
	});
});
// Longer than the gateway keeps idle connections: the keep-alive race is another scenario.
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), values.address, 1024);
