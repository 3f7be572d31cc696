// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// cri.js SOCKET REQUESTS RESPONSES - makes calls of the Kubernetes container runtime interface, as a kubelet
// does. REQUESTS and RESPONSES are named pipes: of each line "METHOD JSON" of the one, the response becomes
// one line of JSON in the other, or "error TEXT". The messages are those of cri.proto.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const modules = path.join(__dirname, '../../build/npm/node_modules/@grpc');
const grpc = require(path.join(modules, 'grpc-js'));
const loader = require(path.join(modules, 'proto-loader'));

const DEADLINE_MS = 60000;
const [socket, requests, responses] = process.argv.slice(2);
const definition = loader.loadSync(path.join(__dirname, 'cri.proto'),
	{ keepCase: true, longs: Number, enums: String });
const { RuntimeService } = grpc.loadPackageDefinition(definition).runtime.v1;
const client = new RuntimeService('unix:' + socket, grpc.credentials.createInsecure());
const respond = text => fs.appendFileSync(responses, text + '\n');

readline.createInterface({ input: fs.createReadStream(requests) }).on('line', line => {
	const [, method, request] = /^(\w+) (.*)$/.exec(line);
	client[method](JSON.parse(request), { deadline: Date.now() + DEADLINE_MS }, (error, response) =>
		respond(error ? `error ${method}: ${JSON.stringify(error.details)}` : JSON.stringify(response)));
});
