{{- define "x402-k8s-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Of all objects. Short enough for `-metrics` and for the names of a StatefulSet's pods. */}}
{{- define "x402-k8s-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "x402-k8s-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "x402-k8s-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: gateway
{{- end -}}

{{/* Without the component: that belongs to the pods and what selects them. */}}
{{- define "x402-k8s-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "x402-k8s-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "x402-k8s-operator.serviceAccountName" -}}
{{- default (include "x402-k8s-operator.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Whether a program exports traces is decided when it is compiled, so there are two images. */}}
{{- define "x402-k8s-operator.image" -}}
{{- $tag := printf "v%s%s" .Chart.AppVersion (.Values.otel.enabled | ternary "-tracing" "") -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $tag .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whole seconds of a duration such as 1500ms, 30s, 5m or 1h, rounded up. */}}
{{- define "x402-k8s-operator.seconds" -}}
{{- $amount := regexFind "^[0-9]+" . | int -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" }}{{ div (add $amount 999) 1000 }}
{{- else }}{{ mul $amount (get (dict "s" 1 "m" 60 "h" 3600) $unit) }}
{{- end -}}
{{- end -}}

{{/*
Seconds that a pod may take to end: the delay, the drain, and a little for the ledger. The delay is
the program's own (--shutdown-delay) and not a preStop hook: there is no `sleep` in the image, and
while the kubelet sleeps in a hook the program does not know that it is to end. Told at once, it
gives its Lease back and is not ready while it still takes requests.
*/}}
{{- define "x402-k8s-operator.neededGracePeriod" -}}
{{- $delay := include "x402-k8s-operator.seconds" .Values.shutdownDelay | int -}}
{{- $drain := include "x402-k8s-operator.seconds" .Values.drainTimeout | int -}}
{{- add $delay $drain 5 -}}
{{- end -}}

{{- define "x402-k8s-operator.gracePeriod" -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- include "x402-k8s-operator.neededGracePeriod" . | int | add 5 -}}
{{- else -}}
{{- .Values.terminationGracePeriodSeconds | int -}}
{{- end -}}
{{- end -}}

{{/* The least number of pods, also where an autoscaler decides. */}}
{{- define "x402-k8s-operator.leastReplicas" -}}
{{- if .Values.autoscaling.enabled }}{{ .Values.autoscaling.minReplicas | int }}
{{- else }}{{ .Values.replicas | int }}
{{- end -}}
{{- end -}}
