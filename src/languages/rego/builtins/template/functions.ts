import { formatFloat } from "../../values/go-float.ts";
import { jsonMembers } from "../../values/json.ts";
import { isNumber, numberText } from "../../values/number.ts";
import { kindOf } from "../../values/print.ts";
import { bytesOf, textOf } from "../../values/text.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import { type PrintfArgument, sprintf } from "../go-printf.ts";
import { TemplateProblem } from "./ast.ts";

/** An integer of Go, as constants and `len` are; numbers of the data stay texts (json.Number). */
export class GoInt {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class GoFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Undefined: no value, as of a member that is missing. */
export type Datum = Value | GoInt | GoFloat | undefined;

/** Whether a condition holds: what is not zero, empty or missing. Numbers of the data are texts and never empty. */
export function isTrue(datum: Datum): boolean {
  if (datum === undefined || datum === null || datum === false || datum === "") return false;
  if (datum instanceof GoInt) return datum.value !== 0n;
  if (datum instanceof GoFloat) return datum.value !== 0;
  if (datum instanceof RegoObject) return datum.size > 0;
  return !isDatumArray(datum) || datum.length > 0;
}

const isDatumArray = (datum: Datum): datum is readonly Value[] => Array.isArray(datum);

/** As Go's fmt prints it with `%v`. */
export function show(datum: Datum): string {
  if (datum === undefined || datum === null) return "<nil>";
  if (datum instanceof GoInt) return String(datum.value);
  if (datum instanceof GoFloat) return formatFloat(datum.value, "g", undefined);
  if (typeof datum === "string") return datum;
  if (isNumber(datum)) return numberText(datum);
  if (isDatumArray(datum)) return `[${datum.map(show).join(" ")}]`;
  if (datum instanceof RegoObject)
    return `map[${jsonMembers(datum)
      .map(([k, v]) => `${k}:${show(v)}`)
      .join(" ")}]`;
  return String(datum);
}

/** Whether two data are of one basic kind, and which. */
function basicKind(datum: Datum): string {
  if (datum instanceof GoInt) return "int";
  if (datum instanceof GoFloat) return "float";
  if (datum === undefined || datum === null) return "nil";
  return isNumber(datum) ? "string" : kindOf(datum);
}

function compareBasic(a: Datum, b: Datum): number {
  const kind = basicKind(a);
  if (kind !== basicKind(b)) throw new TemplateProblem("incompatible types for comparison");
  if (a instanceof GoInt && b instanceof GoInt) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  if (a instanceof GoFloat && b instanceof GoFloat) return a.value - b.value;
  if (kind === "string") return show(a) < show(b) ? -1 : show(a) > show(b) ? 1 : 0;
  throw new TemplateProblem("invalid type for comparison");
}

function areEqual(a: Datum, b: Datum): boolean {
  const kind = basicKind(a);
  if (kind === "nil" || basicKind(b) === "nil") return kind === basicKind(b);
  if (kind === "boolean" && basicKind(b) === "boolean") return a === b;
  return compareBasic(a, b) === 0;
}

function indexInto(whole: Datum, keys: readonly Datum[]): Datum {
  let found = whole;
  for (const key of keys) {
    if (found instanceof RegoObject) {
      if (typeof key !== "string") throw new TemplateProblem("value is not a string key");
      found = found.get(key);
    } else if (isDatumArray(found) && key instanceof GoInt) {
      const at = Number(key.value);
      if (at < 0 || at >= found.length) throw new TemplateProblem(`index out of range: ${at}`);
      found = found[at];
    } else throw new TemplateProblem("can't index item of this type");
  }
  return found;
}

function lengthOf(datum: Datum): Datum {
  if (datum instanceof RegoObject) return new GoInt(BigInt(datum.size));
  if (isDatumArray(datum)) return new GoInt(BigInt(datum.length));
  if (typeof datum === "string") return new GoInt(BigInt(bytesOf(datum).length));
  throw new TemplateProblem("len of this type");
}

function printfArgument(datum: Datum): PrintfArgument {
  if (datum instanceof GoInt) return { kind: "int64", value: datum.value };
  if (datum instanceof GoFloat) return { kind: "float64", value: datum.value };
  if (datum === undefined || datum === null) return { kind: "nil" };
  if (typeof datum === "boolean") return { kind: "bool", value: datum };
  if (isNumber(datum)) return { kind: "json.Number", value: numberText(datum) };
  if (isDatumArray(datum)) return { kind: "list", items: datum.map(printfArgument) };
  if (datum instanceof RegoObject)
    return { kind: "map", members: jsonMembers(datum).map(([key, item]) => [key, printfArgument(item)]) };
  return { kind: "string", value: show(datum) };
}

const htmlEscapes: { readonly [char: string]: string } = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

function escapeQuery(text: string): string {
  return Array.from(bytesOf(text), (byte) => {
    const char = String.fromCharCode(byte);
    return /[\w.~-]/.test(char) ? char : char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

function sliced(whole: Datum, from: Datum, to: Datum): Datum {
  const start = from instanceof GoInt ? Number(from.value) : 0;
  const items = typeof whole === "string" ? bytesOf(whole) : whole;
  if (!(items instanceof Uint8Array) && !isDatumArray(items)) throw new TemplateProblem("can't slice item of this type");
  const end = to instanceof GoInt ? Number(to.value) : items.length;
  if (start < 0 || end > items.length || start > end) throw new TemplateProblem("index out of range");
  return items instanceof Uint8Array ? textOf(items.slice(start, end)) : items.slice(start, end);
}

type TemplateFunction = (...args: readonly Datum[]) => Datum;

const isText = (datum: Datum): boolean => basicKind(datum) === "string";

/** Go's fmt.Sprint: a space between two that are no texts. */
function join(args: readonly Datum[]): string {
  const apart = (i: number) => i > 0 && !isText(args[i]) && !isText(args[i - 1]);
  return args.map((arg, i) => (apart(i) ? " " : "") + show(arg)).join("");
}

const compared =
  (holds: (order: number) => boolean): TemplateFunction =>
  (a, b) =>
    holds(compareBasic(a, b));

/** The functions of text/template. */
export const functions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ["and", (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1)],
  ["or", (...args) => args.find(isTrue) ?? args.at(-1)],
  ["not", (arg) => !isTrue(arg)],
  ["eq", (a, ...others) => others.some((b) => areEqual(a, b))],
  ["ne", (a, b) => !areEqual(a, b)],
  ["lt", compared((order) => order < 0)],
  ["le", compared((order) => order <= 0)],
  ["gt", compared((order) => order > 0)],
  ["ge", compared((order) => order >= 0)],
  ["index", (whole, ...keys) => indexInto(whole, keys)],
  ["slice", sliced],
  ["len", lengthOf],
  ["print", (...args) => join(args)],
  ["println", (...args) => `${args.map(show).join(" ")}\n`],
  ["printf", (format, ...args) => sprintf(show(format), args.map(printfArgument))],
  ["html", (...args) => join(args).replace(/["'&<>]|\p{Cc}/gu, (char) => htmlEscapes[char] ?? char)],
  ["urlquery", (...args) => escapeQuery(join(args))],
]);

export const functionNames: ReadonlySet<string> = new Set(functions.keys());
