// Records how Kubernetes reads YAML, for src/core/yaml/kubernetes-yaml.test.ts; see main.go.
module castellan.dev/test/oracles/yaml

go 1.26.0

require sigs.k8s.io/yaml v1.6.0

require go.yaml.in/yaml/v2 v2.4.2 // indirect
