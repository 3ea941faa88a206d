{{/* What the pods of the workload and of the hook have in common. */}}
{{- define "x402-k8s-operator.podBasics" -}}
serviceAccountName: {{ include "x402-k8s-operator.serviceAccountName" . | quote }}
# Not by the ServiceAccount, which other pods may be given by mistake.
automountServiceAccountToken: true
# Kubernetes makes variables of the Services in the namespace, and that of `x402-gateway` would be
# X402_GATEWAY_PORT=tcp://..., which is the variable of --gateway-port.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "x402-k8s-operator.containerBasics" -}}
image: {{ include "x402-k8s-operator.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}

{{/* The template of the StatefulSet, and of the Deployment. */}}
{{- define "x402-k8s-operator.podTemplate" -}}
metadata:
  labels:
    {{- include "x402-k8s-operator.selectorLabels" . | nindent 4 }}
    {{- /* Not the chart's version: one that changes nothing else must not restart the pods. */}}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: operator
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "x402-k8s-operator.podBasics" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "x402-k8s-operator.gracePeriod" . }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if gt (include "x402-k8s-operator.leastReplicas" . | int) 1 }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "x402-k8s-operator.selectorLabels" $ | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- end }}
  containers:
    - name: operator
      {{- include "x402-k8s-operator.containerBasics" . | nindent 6 }}
      args:
        {{- include "x402-k8s-operator.args" . | nindent 8 }}
      {{- with include "x402-k8s-operator.env" . | trim }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8402
        - name: metrics
          containerPort: 8080
        - name: probes
          containerPort: 8081
      startupProbe:
        httpGet: { path: /healthz, port: probes }
        {{- toYaml .Values.probes.startup | nindent 8 }}
      readinessProbe:
        httpGet: { path: /readyz, port: probes }
        {{- toYaml .Values.probes.readiness | nindent 8 }}
      livenessProbe:
        httpGet: { path: /healthz, port: probes }
        {{- toYaml .Values.probes.liveness | nindent 8 }}
      volumeMounts:
        {{- include "x402-k8s-operator.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "x402-k8s-operator.volumes" . | nindent 4 }}
{{- end -}}
