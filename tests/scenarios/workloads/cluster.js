// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// cluster.js - a Node.js cluster: the primary owns the listening socket and starts a worker again when
// one dies. Each worker keeps something of every request until its heap is full.
//   --port N      where to listen on 127.0.0.1
//   --workers N   (default 2)
//   --heap N      heap limit of a worker, MiB
//   --bytes N     kept per request
'use strict';
const cluster = require('cluster');
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	workers: { type: 'string', default: '2' },
	heap: { type: 'string' },
	bytes: { type: 'string' },
} });
const kept = [];

function serve() {
	const server = http.createServer((request, response) => {
		request.resume();
		request.on('end', () => {
			const rows = [];
			for (let i = 0; i < Number(values.bytes) / 100; i++)
				rows.push({ id: i, name: 'row' + i + Math.random() });
			kept.push(rows);
			// The first worker leaks twice as fast, so they do not die together.
			if (cluster.worker.id % 2)
				kept.push(rows.map((row) => ({ ...row, name: row.name + 'x' })));
			response.end('ok');
		});
	});
	server.keepAliveTimeout = 75000;
	server.listen(Number(values.port), '127.0.0.1', 1024);
}

if (cluster.isPrimary) {
	cluster.setupPrimary({ execArgv: ['--max-old-space-size=' + values.heap] });
	for (let i = 0; i < Number(values.workers); i++)
		cluster.fork();
	cluster.on('exit', () => cluster.fork());
} else {
	serve();
}
