#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A JVM with CrashOnOutOfMemoryError and a leak: it aborts.
#
# title: JVM heap leak, CrashOnOutOfMemoryError
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# needs: java
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 48 96
pick RATE 120 200
pick LIFE 18 26
ulimit -c 0
supervise service 2 "" java -Xmx${HEAP}m -XX:+UseSerialGC -XX:+CrashOnOutOfMemoryError \
	"-XX:ErrorFile=$RIG/hs_err" \
	-cp "$(java_classes)" Leak "$UPSTREAM" "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM" 20
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
one_death 90
conclude
