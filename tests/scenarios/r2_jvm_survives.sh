#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A JVM without either: OutOfMemoryError ends one request after the other, the process lives on and
# spends its time on garbage collection.
#
# title: JVM heap full, the process lives on
# expect: gc_thrash/heap_leak
# accept: memory_stall/heap_leak
# culprit: named
# witness: failures>=5 deaths=0
# needs: java
# seconds: 60
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 64 110
pick RATE 100 160
pick LIFE 16 22
GATEWAY_READ_S=5
GATEWAY_CONNECT_S=2
supervise service 2 "" java -Xmx${HEAP}m -XX:+UseSerialGC -cp "$(java_classes)" Leak "$UPSTREAM" \
	"$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM" 20
culprit "$(service_pid service)"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 52
wait "$LOAD_PID"
LOAD_PID=
conclude
