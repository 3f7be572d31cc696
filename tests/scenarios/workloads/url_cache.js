// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// url_cache.js - a service that caches an answer per URL and never evicts one.
//   --port N      where to listen on 127.0.0.1
//   --bytes N     of an answer, about
'use strict';
const http = require('http');
const { parseArgs } = require('util');

const { values } = parseArgs({ options: { port: { type: 'string' }, bytes: { type: 'string' } } });
const cache = new Map();

function render(url) {
	const page = [];
	for (let i = 0; i < Number(values.bytes) / 100; i++)
		page.push({ url, line: 'line' + i + Math.random() });
	return page;
}

const server = http.createServer((request, response) => {
	request.resume();
	request.on('end', () => {
		if (!cache.has(request.url))
			cache.set(request.url, render(request.url));
		response.end(cache.get(request.url).length + ' lines\n');
	});
});
server.keepAliveTimeout = 75000;
server.listen(Number(values.port), '127.0.0.1', 1024);
