{{- define "castellan.labels" -}}
app.kubernetes.io/name: castellan
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "castellan.selector" -}}
app.kubernetes.io/name: castellan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
