import { anyType, booleanType, stringType, type Type } from "../types/type.ts";
import { formatJson, formatJsonIndented } from "../values/json.ts";
import { parseJson } from "../values/json-parser.ts";
import { printValue } from "../values/print.ts";
import type { RegoObject } from "../values/value.ts";
import { type Builtin, BuiltinError } from "./builtin.ts";
import { any, binary, declared, failure, object, operandError, string, unary } from "./operand.ts";

interface Layout {
  readonly prefix: string;
  readonly indent: string;
  readonly pretty: boolean;
}

function readOptions(options: RegoObject): Layout | BuiltinError {
  let layout: Layout = { prefix: "", indent: "\t", pretty: false };
  let explicit: boolean | undefined;
  for (const { key, value } of options.sorted()) {
    if (typeof key !== "string") return operandError(2, `failed to stringify key ${printValue(key)}`);
    if (key === "pretty") {
      if (typeof value !== "boolean") return operandError(2, `key ${key} failed cast to bool`);
      explicit = value;
    } else if (key === "prefix" || key === "indent") {
      if (typeof value !== "string") return operandError(2, `key ${key} failed cast to string`);
      layout = { ...layout, [key]: value, pretty: true };
    } else {
      return operandError(2, `object contained unknown key ${printValue(key)}`);
    }
  }
  return { ...layout, pretty: explicit ?? layout.pretty };
}

const optionsType: Type = {
  kind: "object",
  fixed: [
    ["indent", stringType],
    ["prefix", stringType],
    ["pretty", booleanType],
  ],
  rest: { key: stringType, value: anyType },
};

export const jsonTextBuiltins: readonly Builtin[] = [
  unary("json.marshal", any, stringType, formatJson),
  binary("json.marshal_with_options", [any, declared(optionsType, object)], stringType, (value, options) => {
    const layout = readOptions(options);
    if (layout instanceof BuiltinError) return layout;
    if (!layout.pretty) return formatJson(value);
    return layout.prefix + formatJsonIndented(value, layout.prefix, layout.indent);
  }),
  unary("json.unmarshal", string, anyType, (text) => {
    const parsed = parseJson(text);
    return parsed.ok ? parsed.value : failure(parsed.message);
  }),
  unary("json.is_valid", { ...any, type: stringType }, booleanType, (value) => typeof value === "string" && parseJson(value).ok),
];
