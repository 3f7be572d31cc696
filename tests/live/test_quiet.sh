#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What must not raise an incident: a busy healthy service, a reload of the gateway under load,
# clients that hang up, and a process that dies without anybody behind it.
. "$(dirname "$0")/lib.sh"
NAME=quiet
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
supervise service 2 "" "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 50
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2 16
require_watch --tick 500ms
load load "$PORT" 300 9
sleep 2
kill -HUP "$GATEWAY_PID"
sleep 2
"$PYTHON" - "$PORT" <<'CLIENT'
import socket, struct, sys
for _ in range(50):
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
CLIENT
bash -c 'kill -9 $$' 2>/dev/null
sleep 2
wait "$LOAD_PID"
sleep 1
watch_stop

check_incident --no-incident
check_stream
finish
