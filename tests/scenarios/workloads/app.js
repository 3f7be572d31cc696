// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// app.js - a service without a leak, and the ways in which one gets into trouble.
//   --port N       where to listen
//   --host A       on which address (default 127.0.0.1)
//   --mib N        memory it holds from the start (default 30)
//   --backlog N    length of the accept queue (default 1024)
//   --cpu-ms N     computing per request (default 0)
//   --garbage N    bytes of short-lived objects per request (default 0)
//   --delay-ms N   waits so long before each answer (default 0)
// Paths: /status/N answers with that status, /throw throws where nobody catches, /spin/MS blocks the
// event loop, /delay/MS answers late. Everything else is "ok". SIGTERM ends it in order.
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	host: { type: 'string', default: '127.0.0.1' },
	mib: { type: 'string', default: '30' },
	backlog: { type: 'string', default: '1024' },
	'cpu-ms': { type: 'string', default: '0' },
	garbage: { type: 'string', default: '0' },
	'delay-ms': { type: 'string', default: '0' },
} });
const cpuMs = Number(values['cpu-ms']);
const delayMs = Number(values['delay-ms']);
const garbageRows = Number(values.garbage) / 100;
const held = [];
for (let i = 0; i < Number(values.mib); i++)
	held.push(Buffer.alloc(1 << 20, i & 255));

function spin(ms) {
	const end = process.hrtime.bigint() + BigInt(Math.round(ms * 1e6));
	while (process.hrtime.bigint() < end)
		;
}

function litter() {
	const rows = [];
	for (let i = 0; i < garbageRows; i++)
		rows.push({ id: i, name: 'row' + i + Math.random() });
	return rows.length;
}

const paths = {
	status: (response, n) => { response.statusCode = n; response.end('as asked\n'); },
	throw: () => setImmediate(() => { throw new Error('nobody catches this'); }),
	spin: (response, ms) => { spin(ms); response.end('ok'); },
	delay: (response, ms) => setTimeout(() => response.end('ok'), ms),
};

const server = http.createServer((request, response) => {
	const [, verb, argument] = request.url.split('/');
	request.resume();
	request.on('end', () => {
		if (paths[verb])
			return paths[verb](response, Number(argument));
		spin(cpuMs);
		litter();
		setTimeout(() => response.end('ok, holding ' + held.length + '\n'), delayMs);
	});
});
process.on('SIGTERM', () => {
	server.close(() => process.exit(0));
	server.closeIdleConnections();
	setTimeout(() => process.exit(0), 1000).unref();
});
// Longer than the gateway keeps idle connections: the keep-alive race is another scenario.
server.keepAliveTimeout = 75000;
server.listen({ port: Number(values.port), host: values.host, backlog: Number(values.backlog) });
