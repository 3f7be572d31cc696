// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// cri.js SOCKET METHOD [JSON] - one call of the Kubernetes container runtime interface, as a kubelet makes
// it: JSON is the request, standard output the response as JSON. The messages are those of cri.proto.
'use strict';
const path = require('path');
const modules = path.join(__dirname, '../../build/npm/node_modules/@grpc');
const grpc = require(path.join(modules, 'grpc-js'));
const loader = require(path.join(modules, 'proto-loader'));

const [socket, method, request] = process.argv.slice(2);
const definition = loader.loadSync(path.join(__dirname, 'cri.proto'),
	{ keepCase: true, longs: Number, enums: String });
const { RuntimeService } = grpc.loadPackageDefinition(definition).runtime.v1;
const client = new RuntimeService('unix:' + socket, grpc.credentials.createInsecure());

client[method](JSON.parse(request || '{}'), { deadline: Date.now() + 30000 }, (error, response) => {
	if (error) {
		console.error(`cri.js: ${method}: ${error.details || error.message}`);
		process.exitCode = 1;
	} else {
		console.log(JSON.stringify(response));
	}
	client.close();
});
