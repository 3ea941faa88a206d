{{/* A role with its binding: (list context namespace name template-with-the-rules); without a
namespace a ClusterRole. */}}
{{- define "x402-k8s-operator.role" -}}
{{- $context := index . 0 }}
{{- $namespace := index . 1 }}
{{- $name := index . 2 }}
{{- $kind := empty $namespace | ternary "ClusterRole" "Role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name | quote }}
  {{- with $namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "x402-k8s-operator.labels" $context | nindent 4 }}
rules:
  {{- include (index . 3) $context | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name | quote }}
  {{- with $namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "x402-k8s-operator.labels" $context | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $name | quote }}
subjects:
  - kind: ServiceAccount
    namespace: {{ $context.Release.Namespace | quote }}
    name: {{ include "x402-k8s-operator.serviceAccountName" $context | quote }}
{{- end -}}
