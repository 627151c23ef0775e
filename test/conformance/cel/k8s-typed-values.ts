import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { encodeBase64, encodeUtf8 } from "../../../src/core/utf8.ts";
import { kubernetesEnvironments } from "../../../src/languages/cel/libraries/kubernetes/environment.ts";
import { selfContained } from "../../../src/languages/cel/schema/schema.ts";
import { typedValue } from "../../../src/languages/cel/schema/typed-values.ts";
import { dynType } from "../../../src/languages/cel/types.ts";
import { displayValue } from "../../../src/languages/cel/values/format.ts";
import { CelError } from "../../../src/languages/cel/values/value.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";
import { openApiSchema } from "./go-openapi.ts";
import { NotData } from "./go-schema.ts";
import { runExpression } from "./k8s-run.ts";

/** A field of a Go struct: its JSON name, what it is where nothing was set, and whether it is left out then. */
type Field = readonly [json: string, zero: JsonValue, left?: "out"];

const scalars = (left?: "out"): { readonly [field: string]: Field } => {
  const field = (name: string, zero: JsonValue): Field => (left === undefined ? [name, zero] : [name, zero, left]);
  return {
    S: field("s", ""),
    I: field("i", 0),
    B: field("b", false),
    F: field("f", 0),
    SP: field("sp", ""),
    IP: field("ip", 0),
    BP: field("bp", false),
    FP: field("fp", 0),
  };
};

const plainStruct = { metadata: {}, s: "", i: 0, b: false, f: 0, sp: "", ip: 0, bp: false, fp: 0 };
const emptyNested = { name: "", info: plainStruct };

/** The structs of the tests as Go's JSON encoder sees them. */
const structs: { readonly [type: string]: { readonly [field: string]: Field } } = {
  Struct: { ObjectMeta: ["metadata", {}], ...scalars() },
  // A struct is never empty for `omitempty`.
  StructOmitEmpty: { ObjectMeta: ["metadata", {}], ...scalars("out") },
  StructOmitZero: { ObjectMeta: ["metadata", {}, "out"], ...scalars("out") },
  Nested: { Name: ["name", ""], Info: ["info", plainStruct] },
  Complex: {
    ObjectMeta: ["metadata", {}],
    ID: ["id", ""],
    Tags: ["tags", null],
    Labels: ["labels", null],
    NestedObj: ["nestedObj", emptyNested],
    NestedEmpty: ["nestedEmpty", emptyNested],
    NestedZero: ["nestedZero", emptyNested, "out"],
    Timeout: ["timeout", "0s"],
    Time: ["time", null],
    MicroTime: ["microTime", null],
    RawBytes: ["rawBytes", null],
    NilBytes: ["nilBytes", null],
    ChildPtr: ["childPtr", null],
    NilPtr: ["nilPtr", null],
    EmptySlice: ["emptySlice", null],
    NilSlice: ["nilSlice", null],
    EmptyMap: ["emptyMap", null],
    NilMap: ["nilMap", null],
    IntOrString: ["intOrString", 0],
    Quantity: ["quantity", "0"],
    I32: ["i32", 0],
    I64: ["i64", 0],
    F32: ["f32", 0],
    Enum: ["enum", ""],
    MapList: ["mapList", null],
    SetList: ["setList", null],
  },
  MapListEntry: { Key1: ["key1", ""], Key2: ["key2", ""], Value: ["value", 0] },
};

const plain = (s: string, i: number, b: boolean, f: number) => ({ ...plainStruct, s, i, b, f });
const hello = plain("hello", 10, true, 1.5);
const world = plain("world", 20, false, 2.5);

/** Values that the tests name. */
const named: { readonly [name: string]: JsonValue } = {
  struct1value: hello,
  struct2value: world,
  nested1value: { name: "nested1", info: hello },
  duration1: "5s",
  time1: "2000-01-01T12:00:00Z",
  microTime1: "2000-01-01T12:00:00.000001Z",
  EnumTypeA: "a",
  EnumTypeB: "b",
  "5 * time.Second": "5s",
  "10 * time.Second": "10s",
};

function namedValue(source: string): JsonValue {
  const name = source.replace(/^[*&]/, "");
  if (Object.hasOwn(named, name)) return named[name] ?? null;
  if (/^-?[\d.]+$/.test(name)) return Number(name);
  throw new NotData(`${source} is not known`);
}

function called(name: string, args: readonly JsonValue[]): JsonValue {
  const [argument = null] = args;
  if (name === "[]byte") return encodeBase64(encodeUtf8(String(argument)));
  if (/^(?:u?int\d*|float\d*|intstr\.\w+|resource\.MustParse)$/.test(name)) return encoded(argument);
  throw new NotData(`${name} is not known`);
}

/** A Go value as Go's JSON encoder writes it. */
function encoded(value: JsonValue | undefined, type?: string): JsonValue {
  if (isArray(value)) return value.map((one) => encoded(one, type));
  if (!isObject(value)) return value ?? null;
  const source = goName(value);
  if (source !== undefined) return namedValue(source);
  const call = callOf(value);
  if (call !== undefined) return called(call.name, call.args);
  if (value["$int64"] !== undefined) return encoded(value["$int64"]);
  const own = String(value["$type"] ?? type);
  if (own === "metav1.Duration") return encoded(value["Duration"]);
  const fields = structs[own.replace(/^[*&]/, "")];
  if (fields !== undefined) return struct(fieldsOf(value), fields);
  if (value["$elts"] !== undefined) return own.startsWith("map[") ? {} : listOf(value).map((one) => encoded(one));
  const entries = Object.entries(fieldsOf(value)).map(([key, inner]) => [key, encoded(inner)] as const);
  return Object.fromEntries(own === "metav1.ObjectMeta" ? entries.map(([key, v]) => [key.toLowerCase(), v]) : entries);
}

function struct(given: JsonObject, fields: { readonly [field: string]: Field }): JsonObject {
  const { Kind: kind, APIVersion: apiVersion } = fieldsOf(given["TypeMeta"]);
  const members = Object.entries(fields).flatMap(([field, [json, zero, left]]): readonly (readonly [string, JsonValue])[] => {
    const set = given[field];
    const value =
      set === undefined
        ? zero
        : encoded(set, field === "MapList" ? "MapListEntry" : field.startsWith("Nested") ? "Nested" : undefined);
    const isZero = set === undefined || JSON.stringify(value) === JSON.stringify(zero);
    return left === "out" && isZero ? [] : [[json, value]];
  });
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...Object.fromEntries(members),
  };
}

/** An expression over Go values that have schemas. */
export function runTypedValueRow(row: JsonObject): Outcome {
  const given = Object.entries(fieldsOf(row["activation"]));
  const env = kubernetesEnvironments(36, 36).storedExpressions.extend({
    variables: given.map(([name]) => ({ name, type: dynType })),
  });
  const variables = given.map(([name, typed]) => {
    const { value, schema } = fieldsOf(typed);
    const json = encoded(value);
    return [name, json === null ? null : typedValue(json, openApiSchema(schema), selfContained)] as const;
  });
  const ran = runExpression(String(row["expression"]), env, Object.fromEntries(variables));
  if (!ran.ok) return failure(ran.message);
  const { value } = ran.evaluation;
  const expected = row["wantErr"];
  if (expected === undefined || expected === "") return value === true ? passed : failure(displayValue(value));
  if (!(value instanceof CelError)) return failure(`no error: ${displayValue(value)}`);
  return value.message.includes(String(expected)) ? passed : failure(value.message);
}
