// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// timer_leak.js - a service that leaks by itself, whether or not anybody asks for anything.
//   --port N      where to listen on 127.0.0.1
//   --rate N      bytes per second
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: { port: { type: 'string' }, rate: { type: 'string' } } });
const kept = [];
setInterval(() => {
	const rows = [];
	for (let i = 0; i < Number(values.rate) / 20 / 150; i++)
		rows.push({ id: i, name: 'metric' + i + Math.random() });
	kept.push(rows);
}, 50);

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => response.end('ok'));
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
