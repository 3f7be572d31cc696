# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# dashboard.jq - the one source of the Grafana dashboard (scripts/grafana.sh). A row of panels is a row here:
#   [title, kind, width of 24, unit, "data" or "maybe", [legend, expression]...]
# "data": where a gateway and its victim are watched, it must show something; tests/prometheus asks a real server.
# `$i` stands for the labels that the variables choose, `$r` for the span of rates.

def rows: [
  ["Who fails, and because of whom",
    ["Verdicts", "table", 24, "none", "data",
      ["", "memswell:upstream_verdict:info"]],
    ["Upstream failures", "timeseries", 12, "reqps", "data",
      ["{{gateway}} to {{upstream}}: {{kind}}",
       "sum by (gateway, upstream, kind) (rate(memswell_gateway_upstream_failures_total{$i}[$r])) > 0"]],
    ["What clients got", "timeseries", 12, "reqps", "data",
      ["{{gateway}} {{status}}",
       "sum by (gateway, status) (rate(memswell_gateway_client_responses_total{$i}[$r])) > 0"]],
    ["Deaths", "timeseries", 12, "short", "data",
      ["{{service_name}}: {{kind}}",
       "sum by (service_name, kind) (increase(memswell_service_deaths_total{$i}[$r])) > 0"]],
    ["Incidents that go on", "timeseries", 12, "short", "data",
      ["{{class}} {{cause}}", "sum by (class, cause) (memswell_incidents_open{$i})"]]
  ],
  ["Memory of services",
    ["Seconds to the ceiling", "timeseries", 12, "s", "data",
      ["{{service_name}} on {{instance}}",
       "min by (instance, service_name) (memswell_service_time_to_ceiling_seconds{$i})"]],
    ["Headroom", "timeseries", 12, "bytes", "data",
      ["{{service_name}} on {{instance}}",
       "bottomk(10, min by (instance, service_name) (memswell_service_headroom_bytes{$i}))"]],
    ["Anonymous memory", "timeseries", 12, "bytes", "data",
      ["{{service_name}} on {{instance}}",
       "topk(10, sum by (instance, service_name) (memswell_service_anon_bytes{$i}))"]],
    ["Growth", "timeseries", 12, "Bps", "data",
      ["{{service_name}} on {{instance}}",
       "topk(10, max by (instance, service_name) (memswell_service_growth_bytes_per_second{$i}))"]],
    ["Whom gateways will lose next", "table", 12, "s", "maybe",
      ["", "sort(memswell:upstream_time_to_ceiling:seconds)"]],
    ["Usage of memory limits", "timeseries", 12, "percentunit", "data",
      ["{{service_name}} on {{instance}}",
       "topk(10, max by (instance, service_name) (memswell_service_cgroup_usage_bytes{$i} / memswell_service_cgroup_limit_bytes{$i}))"]],
    ["Time in reclaim", "timeseries", 12, "percentunit", "data",
      ["{{service_name}} on {{instance}}",
       "topk(10, sum by (instance, service_name) (rate(memswell_service_reclaim_seconds_total{$i}[$r])))"]],
    ["Restarts", "timeseries", 12, "short", "data",
      ["{{service_name}} on {{instance}}",
       "sum by (instance, service_name) (increase(memswell_service_restarts_total{$i}[$r])) > 0"]]
  ],
  ["Traffic",
    ["Requests to upstreams", "timeseries", 12, "reqps", "data",
      ["{{gateway}} to {{upstream}}",
       "topk(10, sum by (gateway, upstream) (rate(memswell_gateway_upstream_requests_total{$i}[$r])))"]],
    ["Requests answered, and waiting", "timeseries", 12, "short", "data",
      ["{{service_name}} per second",
       "topk(10, sum by (service_name) (rate(memswell_service_requests_total{$i}[$r])))"],
      ["{{service_name}} waiting",
       "topk(10, sum by (service_name) (memswell_service_requests_in_flight{$i}))"]]
  ],
  ["memswell itself",
    ["Age of the last round", "timeseries", 6, "s", "data",
      ["{{instance}}", "time() - memswell_last_tick_timestamp_seconds{$i}"]],
    ["CPU, without and within the kernel", "timeseries", 6, "percentunit", "data",
      ["{{instance}}", "rate(memswell_cpu_seconds_total{$i}[$r])"],
      ["{{instance}} programs", "sum by (instance) (rate(memswell_bpf_run_seconds_total{$i}[$r]))"]],
    ["Memory", "timeseries", 6, "bytes", "data",
      ["{{instance}}", "memswell_resident_memory_bytes{$i}"],
      ["{{instance}} maps", "memswell_bpf_map_memory_bytes{$i}"]],
    ["Ring buffers in use", "timeseries", 6, "percentunit", "data",
      ["{{instance}} {{ring}}", "memswell_ring_used_bytes{$i} / memswell_ring_size_bytes{$i}"]],
    ["Losses", "timeseries", 12, "short", "maybe",
      ["{{instance}} {{stream}} {{reason}}",
       "sum by (instance, stream, reason) (increase(memswell_losses_total{$i}[$r])) > 0"]],
    ["Hooks that are missing", "table", 12, "none", "maybe",
      ["", "memswell_hook_state{$i,state=~\"unavailable|shed\"} == 1"]]
  ]
];

def expression: gsub("\\$i"; "cluster=~\"$cluster\",instance=~\"$instance\"") | gsub("\\$r"; "$__rate_interval");
def source: {type: "prometheus", uid: "${datasource}"};

def targets($kind): [to_entries[] | {
  refId: ("ABCDEFGH"[.key:.key + 1]),
  datasource: source,
  expr: (.value[1] | expression),
  legendFormat: .value[0],
  instant: ($kind == "table"),
  range: ($kind != "table"),
  format: (if $kind == "table" then "table" else "time_series" end)
}];

def panel($place): {
  type: .[1],
  title: .[0],
  datasource: source,
  gridPos: {h: 8, w: .[2], x: $place.x, y: $place.y},
  fieldConfig: {
    defaults: ({unit: .[3]} + if .[1] == "timeseries" then {min: 0, custom: {fillOpacity: 8, showPoints: "never"}} else {} end),
    overrides: []
  },
  options: (if .[1] == "timeseries"
    then {legend: {displayMode: "table", placement: "bottom", calcs: ["lastNotNull", "max"]}, tooltip: {mode: "multi", sort: "desc"}}
    else {showHeader: true} end),
  transformations: (if .[1] == "table"
    then [{id: "organize", options: {excludeByName: {Time: true, "__name__": true}}}] else [] end),
  targets: (.[1] as $kind | .[5:] | targets($kind))
};

# From left to right, then below; a title stands above each row.
def laid_out:
  reduce rows[] as $row ({y: 0, panels: []};
    .panels += [{type: "row", title: $row[0], collapsed: false, panels: [], gridPos: {h: 1, w: 24, x: 0, y: .y}}]
    | .y += 1 | .x = 0
    | reduce $row[1:][] as $p (.;
        (if .x + $p[2] > 24 then .x = 0 | .y += 8 else . end)
        | {x, y} as $place
        | .panels += [$p | panel($place)]
        | .x += $p[2])
    | .y += 8)
  | .panels | to_entries | map(.value + {id: (.key + 1)});

def variable($name; $shown; $query): {
  name: $name, label: $shown, type: "query", datasource: source, query: {query: $query, refId: $name},
  includeAll: true, multi: true, allValue: ".*", current: {text: "All", value: "$__all"}, refresh: 2, sort: 1
};

{
  uid: "memswell",
  title: "memswell",
  description: "Whose memory made which gateway fail, and who is next.",
  tags: ["memswell"],
  schemaVersion: 38,
  version: 1,
  editable: true,
  refresh: "30s",
  time: {from: "now-1h", to: "now"},
  annotations: {list: [{
    name: "memory deaths behind gateways", datasource: source, enable: true, iconColor: "red",
    expr: "ALERTS{alertname=\"MemswellMemoryDeathBehindGateway\",alertstate=\"firing\"}",
    titleFormat: "{{service_name}}", textFormat: "{{gateway}} to {{upstream}}: {{class}} {{cause}}"
  }]},
  templating: {list: [
    {name: "datasource", label: "data source", type: "datasource", query: "prometheus"},
    variable("cluster"; "cluster"; "label_values(memswell_build_info, cluster)"),
    variable("instance"; "node"; "label_values(memswell_build_info, instance)")
  ]},
  panels: laid_out
}
| if $ARGS.named.only == "queries"
  then [rows[] | .[1:][] | {title: .[0], must: (.[4] == "data"), instant: (.[1] == "table"), expressions: [.[5:][] | .[1] | expression]}]
  else . end
