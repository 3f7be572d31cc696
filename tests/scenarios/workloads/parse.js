// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// parse.js - a service that reads whole JSON bodies into memory and answers with their length.
//   --port N      where to listen on 127.0.0.1
//   --bytes N     a leak beside it: kept per request without a body (default 0)
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	bytes: { type: 'string', default: '0' },
} });
const kept = [];

function leak() {
	const rows = [];
	for (let i = 0; i < Number(values.bytes) / 100; i++)
		rows.push({ id: i, name: 'row' + i + Math.random() });
	kept.push(rows);
}

const server = http.createServer((request, response) => {
	const parts = [];
	request.on('data', (part) => parts.push(part));
	request.on('end', () => {
		if (parts.length === 0) {
			leak();
			return response.end('ok');
		}
		response.end(JSON.parse(Buffer.concat(parts).toString()).length + '\n');
	});
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
