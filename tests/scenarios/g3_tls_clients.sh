#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Clients speak TLS to the gateway: its statuses are sealed, and inferred from the upstream leg.
#
# title: TLS client leg, heap leak behind it
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# also: impact.status_source=inferred
# needs: openssl
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 120
pick RATE 100 180
pick LIFE 18 26
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$RIG/key" \
	-out "$RIG/certificate" 2>"$RIG/openssl.log"
GATEWAY_LISTEN="ssl; ssl_certificate $RIG/certificate; ssl_certificate_key $RIG/key"
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120 --tls --connections 20
one_death 90
conclude
