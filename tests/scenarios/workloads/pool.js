// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// pool.js - a service that asks a database for every request, over a few connections; who finds none
// free waits in memory.
//   --port N      where to listen on 127.0.0.1
//   --db N        port of the database
//   --pool N      connections (default 10)
//   --context N   bytes that a waiting request holds (default 8000)
'use strict';
const http = require('http');
const net = require('net');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	db: { type: 'string' },
	pool: { type: 'string', default: '10' },
	context: { type: 'string', default: '8000' },
} });
const free = [];
const waiting = [];

function release(connection) {
	const next = waiting.shift();
	if (next)
		next(connection);
	else
		free.push(connection);
}

function acquire(use) {
	if (free.length)
		use(free.pop());
	else
		waiting.push(use);
}

for (let i = 0; i < Number(values.pool); i++) {
	const connection = net.connect(Number(values.db), '127.0.0.1', () => release(connection));
	connection.setNoDelay(true);
}

const server = http.createServer((request, response) => {
	const context = Buffer.alloc(Number(values.context), 1);
	request.resume();
	request.on('end', () => acquire((connection) => {
		connection.once('data', (row) => {
			release(connection);
			response.end(row.toString() + context.length);
		});
		connection.write('select\n');
	}));
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
