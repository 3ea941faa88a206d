{{/* Of `run`; the last of two counts, so extraArgs can change everything. */}}
{{- define "x402-k8s-operator.args" -}}
- run
- --operator-service={{ include "x402-k8s-operator.fullname" . }}
- --log-level={{ .Values.log.level }}
- --access-log={{ .Values.log.access }}
- --workers={{ .Values.workers | int }}
- --shutdown-delay={{ .Values.shutdownDelay }}
- --drain-timeout={{ .Values.drainTimeout }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.trustedProxies }}
- {{ printf "--trusted-proxies=%s" (join "," .) | quote }}
{{- end }}
{{- if .Values.allowExternalName }}
- --allow-external-name
{{- end }}
{{- if eq .Values.ledger.type "sqlite" }}
- --ledger=/var/lib/x402/payments.db
- --ledger-sync={{ .Values.ledger.sqlite.sync }}
{{- end }}
{{- if ne .Values.ledger.type "memory" }}
- --ledger-retention={{ .Values.ledger.retention }}
{{- end }}
{{- with .Values.facilitator.allowedHosts }}
- {{ printf "--allow-facilitator-host=%s" (join "," .) | quote }}
{{- end }}
{{- if .Values.facilitator.headersSecret.name }}
- --facilitator-headers-file=/etc/x402/facilitator-headers/headers
{{- end }}
{{- if .Values.facilitator.cdpSecret.name }}
- --cdp-api-key-id-file=/etc/x402/cdp/id
- --cdp-api-key-secret-file=/etc/x402/cdp/secret
{{- end }}
{{- if not .Values.rpcUrlsSecret.name }}
{{- range $network, $url := .Values.rpcUrls }}
- {{ printf "--rpc-url=%s=%s" $network $url | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What is secret, or not for the program itself. */}}
{{- define "x402-k8s-operator.env" -}}
{{- if eq .Values.ledger.type "postgres" }}
- name: X402_LEDGER
  valueFrom:
    secretKeyRef:
      name: {{ .Values.ledger.postgres.existingSecret.name | quote }}
      key: {{ .Values.ledger.postgres.existingSecret.key | quote }}
{{- end }}
{{- with .Values.rpcUrlsSecret }}
{{- if .name }}
- name: X402_RPC_URL
  valueFrom:
    secretKeyRef:
      name: {{ .name | quote }}
      key: {{ .key | quote }}
{{- end }}
{{- end }}
{{- with .Values.otel }}
{{- if .enabled }}
- name: OTEL_DENO
  value: "true"
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
# A collector that takes a connection and says nothing would hold up the end of the process for as
# long as the exporter waits: a minute, and the pod would be killed.
- name: OTEL_EXPORTER_OTLP_TIMEOUT
  value: "1000"
- name: OTEL_SERVICE_NAME
  value: {{ .serviceName | quote }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "x402-k8s-operator.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if eq .Values.ledger.type "sqlite" }}
- name: ledger
  mountPath: /var/lib/x402
{{- end }}
{{- if .Values.facilitator.headersSecret.name }}
- name: facilitator-headers
  mountPath: /etc/x402/facilitator-headers
  readOnly: true
{{- end }}
{{- if .Values.facilitator.cdpSecret.name }}
- name: cdp
  mountPath: /etc/x402/cdp
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Folders, not files by subPath: only those follow a Secret that changes. */}}
{{- define "x402-k8s-operator.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if and (eq .Values.ledger.type "sqlite") .Values.ledger.sqlite.existingClaim }}
- name: ledger
  persistentVolumeClaim:
    claimName: {{ .Values.ledger.sqlite.existingClaim | quote }}
{{- end }}
{{- with .Values.facilitator.headersSecret }}
{{- if .name }}
- name: facilitator-headers
  secret:
    secretName: {{ .name | quote }}
    defaultMode: 0440
    items:
      - key: {{ .key | quote }}
        path: headers
{{- end }}
{{- end }}
{{- with .Values.facilitator.cdpSecret }}
{{- if .name }}
- name: cdp
  secret:
    secretName: {{ .name | quote }}
    defaultMode: 0440
    items:
      - key: {{ .idKey | quote }}
        path: id
      - key: {{ .secretKey | quote }}
        path: secret
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
