{{- /* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */ -}}

{{- define "memswell.selectorLabels" -}}
app.kubernetes.io/name: memswell
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "memswell.labels" -}}
{{ include "memswell.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: agent
{{- end }}

{{- define "memswell.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* Where a runtime keeps what it was told about each container: a JSON list. */ -}}
{{- define "memswell.runtimeState" -}}
{{- $tasks := "io.containerd.runtime.v2.task" -}}
{{- $paths := dict
  "containerd" (list (print "/run/containerd/" $tasks))
  "crio" (list "/run/containers/storage/overlay-containers")
  "docker" (list "/var/lib/docker/containers")
  "k0s" (list (print "/run/k0s/containerd/" $tasks))
  "k3s" (list (print "/run/k3s/containerd/" $tasks))
  "microk8s" (list (print "/var/snap/microk8s/common/run/containerd/" $tasks))
  "none" list -}}
{{- .Values.runtimeStateDirectories | default (get $paths .Values.runtime) | toJson -}}
{{- end }}
