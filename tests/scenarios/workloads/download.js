// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// download.js - a service that hands out large files slowly, and leaks in a timer meanwhile.
//   --port N      where to listen on 127.0.0.1
//   --rate N      bytes leaked per second
//   --mib N       size of /file (default 50)
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	rate: { type: 'string' },
	mib: { type: 'string', default: '50' },
} });
const block = Buffer.alloc(1 << 16, 'x');
const total = Number(values.mib) << 20;
const kept = [];
setInterval(() => {
	const rows = [];
	for (let i = 0; i < Number(values.rate) / 20 / 150; i++)
		rows.push({ id: i, name: 'metric' + i + Math.random() });
	kept.push(rows);
}, 50);

function trickle(response) {
	let sent = 0;
	response.writeHead(200, { 'Content-Length': total });
	const timer = setInterval(() => {
		sent += block.length;
		if (sent < total)
			return response.write(block);
		clearInterval(timer);
		response.end(block);
	}, 20);
	response.on('close', () => clearInterval(timer));
}

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		if (request.url.startsWith('/file'))
			trickle(response);
		else
			response.end('ok');
	});
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
