import { printValue } from "../values/print.ts";
import type { FunctionType, NamedType, Type } from "./type.ts";

/** A type as OPA's error messages write it. */
export function printType(type: Type): string {
  switch (type.kind) {
    case "unknown":
      return "???";
    case "array": {
      const fixed = type.fixed.length === 0 ? "" : `<${type.fixed.map(printType).join(", ")}>`;
      return `array${fixed}${type.rest === undefined ? "" : `[${printType(type.rest)}]`}`;
    }
    case "object": {
      const members = type.fixed.map(([key, value]) => `${typeof key === "string" ? key : printValue(key)}: ${printType(value)}`);
      const rest = type.rest === undefined ? "" : `[${printType(type.rest.key)}: ${printType(type.rest.value)}]`;
      return `object${members.length === 0 ? "" : `<${members.join(", ")}>`}${rest}`;
    }
    case "set":
      return type.of.kind === "unknown" ? "set" : `set[${printType(type.of)}]`;
    case "any":
      return type.of.length === 0 ? "any" : `any<${type.of.map(printType).join(", ")}>`;
    case "function":
      return `${printArguments(type)} => ${type.result === undefined ? "???" : printType(type.result)}`;
    default:
      return type.kind;
  }
}

export function printTypes(types: readonly Type[]): string {
  return `(${types.map(printType).join(", ")})`;
}

function printNamed({ name, type }: NamedType): string {
  return name === undefined ? printType(type) : `${name}: ${printType(type)}`;
}

/** What a function is given; `result`: and what it then answers. */
export function printArguments(type: FunctionType, result?: NamedType): string {
  const args = [...type.args, ...(result === undefined ? [] : [result])].map(printNamed);
  if (type.variadic !== undefined) args.push(`${printType(type.variadic)}...`);
  return `(${args.join(", ")})`;
}
