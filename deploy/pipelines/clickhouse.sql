-- SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
--
-- The same join as duckdb.sql, which says why it is as it is, for ClickHouse 23.8 or newer. Lines go in
-- as they are:
--
--   clickhouse-client --query "INSERT INTO memswell_lines (line) FORMAT JSONAsString" < reports.jsonl
--
-- It was written beside duckdb.sql, whose results are tested, and was not run on a server.

CREATE TABLE IF NOT EXISTS memswell_lines
(
    line String CODEC(ZSTD),
    kind LowCardinality(String) MATERIALIZED JSONExtractString(line, 'schema'),
    at DateTime64(9, 'UTC') MATERIALIZED
        parseDateTime64BestEffort(JSONExtractString(line, 'timestamp'), 9, 'UTC'),
    host LowCardinality(String) MATERIALIZED JSONExtractString(line, 'resource', 'host.name')
)
ENGINE = MergeTree
ORDER BY (kind, host, at)
TTL toDateTime(at) + INTERVAL 30 DAY;

CREATE OR REPLACE VIEW memswell_failures AS
SELECT host AS gateway_host,
       JSONExtractString(line, 'impact', 'proxy', 'process.executable.name') AS gateway,
       JSONExtractString(line, 'impact', 'network.peer.address') AS address,
       JSONExtractUInt(line, 'impact', 'network.peer.port') AS port,
       parseDateTime64BestEffort(
           JSONExtractString(line, 'impact', 'window', 'start'), 9, 'UTC') AS first_failure,
       JSONExtractUInt(line, 'impact', 'client_responses', '502') AS client_502,
       first_failure + INTERVAL 2 SECOND AS latest
FROM memswell_lines
WHERE kind = 'memswell.burst' AND JSONExtractString(line, 'burst', 'record') = 'close';

CREATE OR REPLACE VIEW memswell_deaths AS
SELECT host AS victim_host, at AS died,
       arrayJoin(JSONExtractArrayRaw(line, 'process', 'served')) AS served,
       JSONExtractString(served, 'network.local.address') AS address,
       JSONExtractUInt(served, 'network.local.port') AS port,
       JSONExtractUInt(line, 'process', 'process.pid') AS pid,
       JSONExtractString(line, 'process', 'process.creation.time') AS started,
       if(JSONHas(line, 'process', 'service.name'),
          JSONExtractString(line, 'process', 'service.name'),
          JSONExtractString(line, 'process', 'process.executable.name')) AS service,
       JSONExtractString(line, 'process', 'k8s.pod.name') AS pod,
       JSONExtractInt(line, 'process', 'exit', 'process.exit.code') AS exit_code,
       multiIf(JSONExtractBool(line, 'process', 'exit', 'oom_kill'), 'oom_kill',
               JSONExtractBool(line, 'process', 'exit', 'v8_oom'), 'heap_full', 'exit') AS cause
FROM memswell_lines
WHERE kind = 'memswell.process_exit';

CREATE OR REPLACE VIEW memswell_listeners_up AS
SELECT host, at AS up, JSONExtractString(line, 'listener', 'network.local.address') AS address,
       JSONExtractUInt(line, 'listener', 'network.local.port') AS port
FROM memswell_lines
WHERE kind = 'memswell.listener' AND JSONExtractString(line, 'listener', 'state') = 'up';

-- ASOF: the newest death at the address that is not later than the failure, clocks allowed for.
CREATE OR REPLACE VIEW memswell_cross_node_deaths AS
SELECT j.gateway_host, j.gateway, concat(j.address, ':', toString(j.port)) AS upstream,
       j.first_failure, j.client_502, j.victim_host, j.service, j.pod, j.pid, j.cause, j.exit_code,
       j.died, dateDiff('millisecond', j.died, j.first_failure) AS failed_after_ms
FROM
(
    SELECT f.gateway_host, f.gateway, f.address, f.port, f.first_failure, f.client_502,
           d.victim_host, d.service, d.pod, d.pid, d.cause, d.exit_code, d.died
    FROM memswell_failures AS f
    ASOF INNER JOIN memswell_deaths AS d
        ON f.address = d.address AND f.port = d.port AND f.latest >= d.died
) AS j
LEFT JOIN memswell_listeners_up AS l ON l.host = j.victim_host AND l.port = j.port
WHERE j.victim_host != j.gateway_host AND j.died >= j.first_failure - INTERVAL 30 SECOND
GROUP BY ALL
HAVING countIf(l.address IN (j.address, '0.0.0.0', '::') AND l.up > j.died
               AND l.up < j.first_failure) = 0
ORDER BY j.first_failure;
