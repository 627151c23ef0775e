import { readYaml } from "../../../core/yaml/read-yaml.ts";
import { anyType, booleanType, stringType } from "../types/type.ts";
import { fromJson } from "../values/value.ts";
import type { Builtin } from "./builtin.ts";
import { any, failure, string, unary } from "./operand.ts";
import { writeYaml } from "./yaml-writer.ts";

const read = (text: string) => readYaml(text, "go-yaml-v3");

export const yamlBuiltins: readonly Builtin[] = [
  unary("yaml.marshal", any, stringType, writeYaml),
  unary("yaml.unmarshal", string, anyType, (text) => {
    const loaded = read(text);
    if (loaded.ok) return fromJson(loaded.value);
    return failure(`yaml: ${loaded.diagnostics.map(({ message }) => message).join("; ")}`);
  }),
  unary("yaml.is_valid", { ...any, type: stringType }, booleanType, (value) => typeof value === "string" && read(value).ok),
];
