-- SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
--
-- Gateway failures on one node, joined with the process that died behind them on another, from the
-- lines memswell wrote on each. DuckDB 1.0 or newer:
--
--   duckdb -c "SET VARIABLE memswell_lines = 'logs/*.jsonl'" -c ".read deploy/pipelines/duckdb.sql" \
--          -c "FROM cross_node_deaths"
--
-- The join is on the address: where a gateway's upstream failed (burst lines) and where a process
-- that ended had answered (`served` of its process_exit line). ASOF takes the newest death before
-- the failure; then it must be of another host, within 30 s, and nobody may have listened there again
-- in between. An address that two hosts held at the time is named as such, not decided.
-- memswell_clock_slack is how far clocks may be apart, an INTERVAL; 2 s if it is not set.

CREATE OR REPLACE MACRO text_at(line, path) AS json_extract_string(line, path);
CREATE OR REPLACE MACRO time_at(line, path) AS json_extract_string(line, path)::TIMESTAMP_NS;

CREATE OR REPLACE TEMP TABLE memswell_lines AS
SELECT json AS line, text_at(json, '$.schema') AS kind, time_at(json, '$.timestamp') AS seen,
       text_at(json, '$.resource."host.name"') AS host
FROM read_ndjson_objects(getvariable('memswell_lines'))
WHERE text_at(json, '$.schema') LIKE 'memswell.%';

CREATE OR REPLACE TEMP VIEW failures AS
SELECT host AS gateway_host,
       text_at(line, '$.impact.proxy."process.executable.name"') AS gateway,
       text_at(line, '$.impact."network.peer.address"') AS address,
       text_at(line, '$.impact."network.peer.port"')::INTEGER AS port,
       text_at(line, '$.burst.id') AS burst,
       time_at(line, '$.impact.window.start') AS first_failure,
       time_at(line, '$.impact.window.end') AS last_failure,
       text_at(line, '$.impact.client_responses."502"')::BIGINT AS client_502,
       time_at(line, '$.impact.window.start') +
           coalesce(getvariable('memswell_clock_slack'), INTERVAL 2 SECOND) AS latest
FROM memswell_lines WHERE kind = 'memswell.burst' AND text_at(line, '$.burst.record') = 'close';

CREATE OR REPLACE TEMP VIEW deaths AS
SELECT host, seen,
       unnest(json_extract(line, '$.process.served[*]')) AS served,
       text_at(served, '$."network.local.address"') AS address,
       text_at(served, '$."network.local.port"')::INTEGER AS port,
       text_at(line, '$.process."process.pid"')::INTEGER AS pid,
       text_at(line, '$.process."process.creation.time"') AS started,
       coalesce(text_at(line, '$.process."service.name"'),
                text_at(line, '$.process."process.executable.name"')) AS service,
       text_at(line, '$.process."k8s.pod.name"') AS pod,
       text_at(line, '$.process.exit."process.exit.code"')::INTEGER AS exit_code,
       CASE WHEN text_at(line, '$.process.exit.oom_kill') = 'true' THEN 'oom_kill'
            WHEN text_at(line, '$.process.exit.v8_oom') = 'true' THEN 'heap_full'
            ELSE 'exit' END AS cause
FROM memswell_lines WHERE kind = 'memswell.process_exit';

-- What had hit its limit: the cgroup's own account of the same death.
CREATE OR REPLACE TEMP VIEW oom_kills AS
SELECT host, text_at(line, '$.process."process.pid"')::INTEGER AS pid,
       text_at(line, '$.process."process.creation.time"') AS started,
       text_at(line, '$.oom.limit_bytes')::BIGINT AS limit_bytes
FROM memswell_lines WHERE kind = 'memswell.oom_kill';

-- Listening again; 0.0.0.0 and :: take any address of their host.
CREATE OR REPLACE TEMP VIEW listeners_up AS
SELECT host, seen, text_at(line, '$.listener."network.local.address"') AS address,
       text_at(line, '$.listener."network.local.port"')::INTEGER AS port
FROM memswell_lines WHERE kind = 'memswell.listener' AND text_at(line, '$.listener.state') = 'up';

CREATE OR REPLACE TEMP VIEW cross_node_deaths AS
WITH joined AS (
    SELECT f.*, d.* EXCLUDE (address, port, served)
    FROM failures f ASOF JOIN deaths d
      ON f.address = d.address AND f.port = d.port AND f.latest >= d.seen
)
SELECT j.gateway_host, j.gateway, j.address || ':' || j.port AS upstream, j.first_failure,
       j.client_502, j.host AS victim_host, j.service, j.pod, j.pid, j.cause, j.exit_code,
       o.limit_bytes, j.seen AS died,
       date_diff('millisecond', j.seen, j.first_failure) AS failed_after_ms,
       (SELECT count(DISTINCT d.host) FROM deaths d
         WHERE d.address = j.address AND d.port = j.port
           AND d.seen BETWEEN j.first_failure - INTERVAL 30 SECOND AND j.latest) AS hosts_with_address
FROM joined j
LEFT JOIN oom_kills o ON o.host = j.host AND o.pid = j.pid AND o.started = j.started
WHERE j.host <> j.gateway_host
  AND j.seen >= j.first_failure - INTERVAL 30 SECOND
  AND NOT EXISTS (
      SELECT 1 FROM listeners_up l
      WHERE l.host = j.host AND l.port = j.port AND l.address IN (j.address, '0.0.0.0', '::')
        AND l.seen > j.seen AND l.seen < j.first_failure)
ORDER BY j.first_failure;
