// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// healthy.js - an HTTP service with a large but constant working set.
//   --port N    where to listen on 127.0.0.1
//   --mib N     memory it holds from the start, all of it touched (default 400)
// It listens only once it holds everything, so that no growth is left to be seen under load.
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	mib: { type: 'string', default: '400' },
} });
const held = [];
for (let i = 0; i < Number(values.mib); i++)
	held.push(Buffer.alloc(1 << 20, i & 255));

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => response.end('held ' + held.length + '\n'));
});
// Longer than the gateway keeps idle connections: the keep-alive race is another scenario.
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
