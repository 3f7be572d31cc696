// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
//
// Leak PORT BYTES - an HTTP service that keeps so much of every request.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

public class Leak {
	static final List<List<String>> kept = new ArrayList<>();

	static synchronized void leak(int bytes) {
		List<String> rows = new ArrayList<>();
		for (int i = 0; i < bytes / 100; i++)
			rows.add("row" + i + Math.random());
		kept.add(rows);
	}

	public static void main(String[] args) throws Exception {
		int bytes = Integer.parseInt(args[1]);
		InetSocketAddress local = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
		HttpServer server = HttpServer.create(local, 1024);
		server.createContext("/", exchange -> {
			exchange.getRequestBody().readAllBytes();
			leak(bytes);
			exchange.sendResponseHeaders(200, 2);
			exchange.getResponseBody().write("ok".getBytes());
			exchange.close();
		});
		server.setExecutor(Executors.newFixedThreadPool(8));
		server.start();
	}
}
