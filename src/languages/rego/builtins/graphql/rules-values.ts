import { child, type Node, named, nodes, text, valueKind } from "./node.ts";
import { refuse } from "./rules-fields.ts";
import { isNonNull, type TypeDefinition, typeText } from "./schema.ts";
import type { Observer } from "./walk.ts";

const builtInScalars = new Set(["Int", "Float", "String", "Boolean", "ID"]);

/** The value as it is written. */
export function valueText(value: Node | undefined): string {
  if (value === undefined) return "<nil>";
  const raw = text(value, "Raw");
  const parts = nodes(value, "Children").map((part) => ({ name: text(part, "Name"), value: valueText(child(part, "Value")) }));
  switch (value.get("Kind")) {
    case valueKind.variable:
      return `$${raw}`;
    case valueKind.string:
    case valueKind.block:
      return JSON.stringify(raw);
    case valueKind.list:
      return `[${parts.map((part) => part.value).join(",")}]`;
    case valueKind.object:
      return `{${parts.map((part) => `${part.name}:${part.value}`).join(",")}}`;
    default:
      return raw;
  }
}

function unexpected(value: Node, expected: Node, type: TypeDefinition): never {
  const shown = valueText(value);
  const wanted = typeText(expected);
  const messages: { readonly [type: string]: string } = {
    Int: `Int cannot represent non-integer value: ${shown}`,
    String: `String cannot represent a non string value: ${shown}`,
    Boolean: `Boolean cannot represent a non boolean value: ${shown}`,
    Float: `Float cannot represent non numeric value: ${shown}`,
    ID: `ID cannot represent a non-string and non-integer value: ${shown}`,
  };
  if (type.kind === "ENUM") refuse(value, `Enum "${wanted}" cannot represent non-enum value: ${shown}.`);
  refuse(value, messages[wanted.replace(/!$/, "")] ?? `Expected value of type "${wanted}", found ${shown}.`);
}

/** Types that a literal of each kind may have. */
const accepting: { readonly [kind: number]: readonly string[] } = {
  [valueKind.int]: ["Int", "Float", "ID"],
  [valueKind.float]: ["Float"],
  [valueKind.string]: ["String", "ID"],
  [valueKind.block]: ["String", "ID"],
  [valueKind.boolean]: ["Boolean"],
};

export const valueRules: Observer = {
  value(value, { expected, type }) {
    const kind = value.get("Kind");
    const repeated = kind === valueKind.object ? repeatedField(value) : undefined;
    if (repeated !== undefined) refuse(repeated, `There can be only one input field named "${text(repeated, "Name")}".`);
    if (expected === undefined || type === undefined || kind === valueKind.variable) return;
    if (kind === valueKind.null) {
      if (isNonNull(expected)) refuse(value, `Expected value of type "${typeText(expected)}", found null.`);
      return;
    }
    if (type.kind === "SCALAR" && !builtInScalars.has(type.name)) return;
    if (kind === valueKind.list) {
      if (child(expected, "Elem") === undefined) unexpected(value, expected, type);
    } else if (kind === valueKind.object) {
      checkObject(value, type);
    } else if (kind === valueKind.enum) {
      checkEnum(value, expected, type);
    } else if (!(accepting[Number(kind)] ?? []).includes(type.name)) unexpected(value, expected, type);
    else if (kind === valueKind.int && type.name === "Int") checkRange(value);
  },
};

function checkRange(value: Node): void {
  const number = BigInt(text(value, "Raw"));
  if (number >= -(1n << 31n) && number < 1n << 63n) return;
  refuse(value, `Int cannot represent non 32-bit signed integer value: ${valueText(value)}`);
}

function repeatedField(value: Node): Node | undefined {
  const fields = nodes(value, "Children");
  return fields.find((field, i) => named(fields.slice(0, i), text(field, "Name")) !== undefined);
}

function checkEnum(value: Node, expected: Node, type: TypeDefinition): void {
  if (type.kind !== "ENUM") unexpected(value, expected, type);
  if (named(type.values, text(value, "Raw")) === undefined) {
    refuse(value, `Value "${valueText(value)}" does not exist in "${typeText(expected)}" enum.`);
  }
}

function checkObject(value: Node, type: TypeDefinition): void {
  const given = nodes(value, "Children");
  for (const field of type.fields) {
    const name = text(field, "Name");
    const isRequired = isNonNull(child(field, "Type")) && child(field, "DefaultValue") === undefined;
    if (!isRequired || named(given, name) !== undefined) continue;
    refuse(value, `Field "${type.name}.${name}" of required type "${typeText(child(field, "Type"))}" was not provided.`);
  }
  if (named(type.directives, "oneOf") !== undefined) {
    if (given.length !== 1) refuse(value, `OneOf Input Object "${type.name}" must specify exactly one key.`);
    const [only] = given;
    const isNull = only !== undefined && child(only, "Value")?.get("Kind") === valueKind.null;
    if (isNull) refuse(only, `Field "${type.name}.${text(only, "Name")}" must be non-null.`);
  }
  const unknown = given.find((field) => named(type.fields, text(field, "Name")) === undefined);
  if (unknown !== undefined) refuse(unknown, `Field "${text(unknown, "Name")}" is not defined by type "${type.name}".`);
}
