// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// open_loop.js - sends requests at a fixed rate whether or not answers come back, and prints what
// it saw as one JSON object. A closed loop would slow down with the service and hide the outage,
// or hammer a refused port as fast as it fails.
//   --port N           of 127.0.0.1
//   --rate N           requests per second (default 200)
//   --seconds N        duration; it then waits for what is in flight
//   --method M         GET or POST (default GET; POST carries 10 bytes)
//   --connections N    open N connections at once with the first N requests, use them in turn and
//                      never more (default 0: as many as needed)
//   --jitter N         spread each gap between requests by up to +-N ms (default 0)
//   --path P           what to ask for, with the request's serial number for each "%" (default /)
//   --tls              speak TLS and believe any certificate
//   --patience N       hang up after N ms without an answer (default 0: never)
// SIGTERM ends the sending early. first_ms and last_ms are epoch milliseconds of the failures.
'use strict';
const { parseArgs } = require('util');

const { values } = parseArgs({ options: {
	port: { type: 'string' },
	rate: { type: 'string', default: '200' },
	seconds: { type: 'string', default: '10' },
	method: { type: 'string', default: 'GET' },
	connections: { type: 'string', default: '0' },
	jitter: { type: 'string', default: '0' },
	path: { type: 'string', default: '/' },
	patience: { type: 'string', default: '0' },
	tls: { type: 'boolean', default: false },
} });
const http = require(values.tls ? 'https' : 'http');
const gapMs = 1000 / Number(values.rate);
const jitterMs = Number(values.jitter);
const connections = Number(values.connections);
const patienceMs = Number(values.patience);
const agent = new http.Agent({ keepAlive: true, scheduling: 'fifo',
			       maxSockets: connections || Infinity,
			       rejectUnauthorized: false });
const truth = { sent: 0, answered: 0, status: {}, errors: {}, failures: 0, first_ms: 0, last_ms: 0,
		latency_ms: {} };
const latencies = [];
let inFlight = 0;
let sending = true;

function noteFailure() {
	truth.failures++;
	truth.last_ms = Date.now();
	truth.first_ms = truth.first_ms || truth.last_ms;
}

function count(table, key, isFailure) {
	table[key] = (table[key] || 0) + 1;
	if (isFailure)
		noteFailure();
	inFlight--;
	if (!sending && inFlight === 0)
		report();
}

function send() {
	const begin = process.hrtime.bigint();
	const options = { host: '127.0.0.1', port: Number(values.port), method: values.method, agent,
			  path: values.path.replaceAll('%', truth.sent) };
	let settled = false;
	const settle = (table, key, isFailure) => {
		if (!settled) {
			settled = true;
			count(table, key, isFailure);
		}
	};
	truth.sent++;
	inFlight++;
	const request = http.request(options, (response) => {
		response.resume();
		response.on('end', () => {
			truth.answered++;
			latencies.push(Number(process.hrtime.bigint() - begin) / 1e6);
			settle(truth.status, response.statusCode, response.statusCode >= 500);
		});
		response.on('error', (error) => settle(truth.errors, error.code, true));
	});
	request.on('error', (error) => settle(truth.errors, error.code, true));
	if (patienceMs)
		setTimeout(() => settled || request.destroy(), patienceMs);
	request.end(values.method === 'POST' ? '0123456789' : undefined);
}

function report() {
	latencies.sort((a, b) => a - b);
	for (const q of [0.5, 0.95, 0.99])
		truth.latency_ms['p' + q * 100] = latencies[Math.floor(latencies.length * q)];
	truth.unanswered = inFlight;
	process.stdout.write(JSON.stringify(truth) + '\n');
	process.exit(0);
}

function stop() {
	if (!sending)
		return;
	sending = false;
	setTimeout(report, 10000).unref();
	if (inFlight === 0)
		report();
}

// Due times come from the clock, not from the last timer, so lateness does not lower the rate.
const startMs = Date.now();
let dueMs = startMs;
function schedule() {
	while (sending && dueMs <= Date.now()) {
		send();
		dueMs += gapMs + (Math.random() * 2 - 1) * jitterMs;
	}
	if (sending && Date.now() - startMs < Number(values.seconds) * 1000)
		setTimeout(schedule, Math.max(0, Math.min(5, dueMs - Date.now())));
	else
		stop();
}
process.on('SIGTERM', stop);
for (let i = 0; i < connections; i++)
	send();
schedule();
