// Command yaml reads the cases file named as its argument, asks sigs.k8s.io/yaml about each text and writes the
// answers back: `go run . ../../../src/core/yaml/kubernetes-yaml.cases.json`.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/yaml"
)

type oracleCase struct {
	YAML  string `json:"yaml"`
	JSON  string `json:"json,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var cases []oracleCase
	if err := json.Unmarshal(text, &cases); err != nil {
		log.Fatal(err)
	}
	for i := range cases {
		answer, err := yaml.YAMLToJSON([]byte(cases[i].YAML))
		cases[i].JSON, cases[i].Error = string(answer), ""
		if err != nil {
			cases[i].Error = err.Error()
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(cases); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
