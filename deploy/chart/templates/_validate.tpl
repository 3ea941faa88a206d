{{/* Refuses what loses money or cannot work, in a sentence that says what to choose instead. */}}
{{- define "x402-k8s-operator.validate" -}}
{{- $type := .Values.ledger.type -}}
{{- $replicas := .Values.replicas | int -}}
{{- $auto := .Values.autoscaling -}}
{{- if not (has $type (list "sqlite" "postgres" "memory")) -}}
{{- fail (printf "ledger.type is %q: choose sqlite (one pod with a volume), postgres (any number of pods) or memory (forgotten with the pod)." $type) -}}
{{- end -}}
{{- if lt $replicas 0 -}}
{{- fail (printf "replicas is %d: choose 0 or more." $replicas) -}}
{{- end -}}
{{- if and (gt $replicas 1) (eq $type "sqlite") -}}
{{- fail (printf "replicas is %d with ledger.type sqlite: pods cannot share a file, and the same payment could be used at each of them; choose ledger.type postgres, or replicas 1." $replicas) -}}
{{- end -}}
{{- if and (gt $replicas 1) (eq $type "memory") -}}
{{- fail (printf "replicas is %d with ledger.type memory: pods would know nothing of each other's payments, and the same one could be used at each of them; choose ledger.type postgres, or replicas 1." $replicas) -}}
{{- end -}}
{{- if and $auto.enabled (ne $type "postgres") -}}
{{- fail (printf "autoscaling.enabled is true with ledger.type %s, which only one pod can use; choose ledger.type postgres, or autoscaling.enabled false." $type) -}}
{{- end -}}
{{- if and $auto.enabled (gt ($auto.minReplicas | int) ($auto.maxReplicas | int)) -}}
{{- fail (printf "autoscaling.minReplicas is %d and autoscaling.maxReplicas is %d: choose a maximum that is not less than the minimum." ($auto.minReplicas | int) ($auto.maxReplicas | int)) -}}
{{- end -}}
{{- if and (eq $type "postgres") (not .Values.ledger.postgres.existingSecret.name) -}}
{{- fail "ledger.type is postgres and ledger.postgres.existingSecret.name is empty: make a Secret with the URL (kubectl create secret generic x402-ledger --from-literal=url=postgres://...) and give its name." -}}
{{- end -}}
{{- if and (ne $type "postgres") .Values.ledger.postgres.existingSecret.name -}}
{{- fail (printf "ledger.postgres.existingSecret.name is %q with ledger.type %s, so PostgreSQL would not be used; choose ledger.type postgres, or no Secret." .Values.ledger.postgres.existingSecret.name $type) -}}
{{- end -}}
{{- if and (ne $type "sqlite") .Values.ledger.sqlite.existingClaim -}}
{{- fail (printf "ledger.sqlite.existingClaim is %q with ledger.type %s, so the volume would not be used; choose ledger.type sqlite, or no claim." .Values.ledger.sqlite.existingClaim $type) -}}
{{- end -}}
{{- $needed := include "x402-k8s-operator.neededGracePeriod" . | int -}}
{{- $given := include "x402-k8s-operator.gracePeriod" . | int -}}
{{- if lt $given $needed -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: shutdownDelay (%s) and drainTimeout (%s) need at least %d, or requests that are paid for would be cut off; leave it out, or choose shorter times." $given .Values.shutdownDelay .Values.drainTimeout $needed) -}}
{{- end -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- $least := include "x402-k8s-operator.leastReplicas" . | int -}}
{{- $min := $budget.minAvailable -}}
{{- $max := $budget.maxUnavailable -}}
{{- if and $budget.enabled (gt $least 1) -}}
{{- if not (or (kindIs "invalid" $min) (kindIs "invalid" $max)) -}}
{{- fail (printf "podDisruptionBudget.minAvailable is %v and podDisruptionBudget.maxUnavailable is %v: Kubernetes takes only one of them; set the other to null." $min $max) -}}
{{- end -}}
{{- if or (eq (toString $min) "100%") (and (not (kindIs "invalid" $min)) (not (kindIs "string" $min)) (ge ($min | int) $least)) -}}
{{- fail (printf "podDisruptionBudget.minAvailable is %v of %d pods, so no node with one of them could ever be drained; choose at most %d." $min $least (sub $least 1)) -}}
{{- end -}}
{{- if has (toString $max) (list "0" "0%") -}}
{{- fail (printf "podDisruptionBudget.maxUnavailable is %v, so no node with a pod could ever be drained; choose 1 or more, or podDisruptionBudget.enabled false." $max) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.otel.enabled (not .Values.otel.endpoint) -}}
{{- fail "otel.enabled is true and otel.endpoint is empty: give the URL of a collector, such as http://collector.tracing:4318." -}}
{{- end -}}
{{- with .Values.image -}}
{{- if and $.Values.otel.enabled .tag (not .digest) (not (hasSuffix "-tracing" .tag)) -}}
{{- fail (printf "image.tag is %q with otel.enabled true: only images whose tag ends in -tracing export traces; choose %s-tracing, or leave it out." .tag .tag) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.rpcUrlsSecret.name .Values.rpcUrls -}}
{{- fail (printf "rpcUrls and rpcUrlsSecret.name (%q) are both given: choose one of them." .Values.rpcUrlsSecret.name) -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: give the name of a ServiceAccount that is there, or let the chart make it." -}}
{{- end -}}
{{- $owned := dict
  "leader-elect" "leave it out: without its Lease nothing keeps two pods from writing at once, nor a running operator from undoing an uninstall"
  "ledger" "set ledger.type instead: pods must not have ledgers of their own"
  "shutdown-delay" "set shutdownDelay instead, from which the time that a pod may take to end is made"
  "drain-timeout" "set drainTimeout instead, from which the time that a pod may take to end is made"
  "operator-namespace" "leave it out: the operator is where the release is"
  "operator-service" "leave it out: the operator's Service is the chart's"
  "watch-namespaces" "set watchNamespaces instead, which makes the roles as well"
-}}
{{- range .Values.extraArgs -}}
{{- $flag := regexReplaceAll "^--([a-z-]+).*$" . "${1}" -}}
{{- if and (hasPrefix "--" .) (hasKey $owned $flag) -}}
{{- fail (printf "extraArgs has %q: %s." . (get $owned $flag)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- $flag := .name | replace "X402_" "" | lower | replace "_" "-" -}}
{{- if and (hasPrefix "X402_" .name) (hasKey $owned $flag) -}}
{{- fail (printf "extraEnv has %s: %s." .name (get $owned $flag)) -}}
{{- end -}}
{{- end -}}
{{- $fullname := include "x402-k8s-operator.fullname" . -}}
{{- range $kind := list "StatefulSet" "Deployment" -}}
{{- range (lookup "apps/v1" $kind $.Release.Namespace "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- $instance := get $labels "app.kubernetes.io/instance" -}}
{{- if eq (get $labels "app.kubernetes.io/name") (include "x402-k8s-operator.name" $) -}}
{{- if ne $instance $.Release.Name -}}
{{- fail (printf "the namespace %s has the release %s of this chart already, and two operators in one namespace share a Lease, so that only one of them would do anything; install it in another namespace." $.Release.Namespace $instance) -}}
{{- else if ne .metadata.name $fullname -}}
{{- fail (printf "the release has the %s %s and would make %s beside it, with an empty ledger; leave nameOverride and fullnameOverride as they were." $kind .metadata.name $fullname) -}}
{{- else if and (eq $kind "StatefulSet") (ne $type "postgres") -}}
{{- $claims := and (eq $type "sqlite") (not $.Values.ledger.sqlite.existingClaim) -}}
{{- if ne (gt (len (.spec.volumeClaimTemplates | default list)) 0) $claims -}}
{{- fail (printf "Kubernetes does not change the volumes of a StatefulSet: first kubectl --namespace %s delete statefulset %s --cascade=orphan, then upgrade again." $.Release.Namespace $fullname) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
