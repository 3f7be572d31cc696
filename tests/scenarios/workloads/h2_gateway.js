// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// h2_gateway.js - a gateway that speaks HTTP/2 to its clients and HTTP/1.1 to one upstream, and
// answers 502 when that fails. Each answer goes to standard output: epoch milliseconds and status.
//   --port N      where to listen on 127.0.0.1
//   --upstream N  port of the upstream there
'use strict';
const http = require('http');
const http2 = require('http2');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: { port: { type: 'string' }, upstream: { type: 'string' } } });

function answer(stream, status) {
	process.stdout.write(Date.now() + ' ' + status + '\n');
	if (!stream.destroyed) {
		stream.respond({ ':status': status });
		stream.end('.');
	}
}

http2.createServer().on('stream', (stream, headers) => {
	const request = http.get({ host: '127.0.0.1', port: Number(values.upstream),
				   path: headers[':path'] }, (response) => {
		response.resume();
		response.on('end', () => answer(stream, response.statusCode));
	});
	request.on('error', () => answer(stream, 502));
}).listen(Number(values.port), '127.0.0.1');
