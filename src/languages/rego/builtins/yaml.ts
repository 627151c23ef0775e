import type { Diagnostic } from "../../../core/diagnostic.ts";
import { eventsOf, YamlError } from "../../../core/yaml/compose.ts";
import { readYaml } from "../../../core/yaml/read-yaml.ts";
import { anyType, booleanType, stringType } from "../types/type.ts";
import { fromJson } from "../values/value.ts";
import type { Builtin } from "./builtin.ts";
import { any, failure, string, unary } from "./operand.ts";
import { writeYaml } from "./yaml-writer.ts";

const read = (text: string) => readYaml(text, "go-yaml-v3");

/** In the form of go-yaml's messages. */
function problemOf(text: string, diagnostics: readonly Diagnostic[]): string {
  const message = diagnostics.map((d) => d.message).join("; ");
  try {
    eventsOf(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const line = text.slice(0, error.offset).trimEnd().split("\n").length;
    return `yaml: line ${line}: did not find expected node content: ${message}`;
  }
  return `yaml: ${message}`;
}

export const yamlBuiltins: readonly Builtin[] = [
  unary("yaml.marshal", any, stringType, writeYaml),
  unary("yaml.unmarshal", string, anyType, (text) => {
    const loaded = read(text);
    return loaded.ok ? fromJson(loaded.value) : failure(problemOf(text, loaded.diagnostics));
  }),
  unary("yaml.is_valid", { ...any, type: stringType }, booleanType, (value) => typeof value === "string" && read(value).ok),
];
