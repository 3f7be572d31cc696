// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// h2_load.js - requests at a fixed rate over one HTTP/2 connection: h2_load.js PORT RATE SECONDS
'use strict';
const http2 = require('http2');
const [port, rate, seconds] = process.argv.slice(2).map(Number);
const session = http2.connect('http://127.0.0.1:' + port);
const timer = setInterval(() => {
	const stream = session.request({ ':path': '/' });
	stream.resume();
	stream.on('error', () => {});
}, 1000 / rate);
setTimeout(() => {
	clearInterval(timer);
	session.close();
}, seconds * 1000);
