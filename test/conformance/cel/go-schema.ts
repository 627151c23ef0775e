import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { readYaml } from "../../../src/core/yaml/read-yaml.ts";
import type { CelSchema, ValidationRule } from "../../../src/languages/cel/schema/schema.ts";
import { callOf, fieldsOf, goName, listOf } from "./go-literal.ts";

/** A row holds Go code that this interpreter of test helpers does not know. */
export class NotData extends Error {}

const primitives: { readonly [name: string]: CelSchema } = {
  integerType: { type: "integer" },
  int32Type: { type: "integer", format: "int32" },
  int64Type: { type: "integer", format: "int64" },
  numberType: { type: "number" },
  floatType: { type: "number", format: "float" },
  doubleType: { type: "number", format: "double" },
  stringType: { type: "string" },
  byteType: { type: "string", format: "byte" },
  booleanType: { type: "boolean" },
  durationFormat: { type: "string", format: "duration" },
  dateFormat: { type: "string", format: "date" },
  dateTimeFormat: { type: "string", format: "date-time" },
};

function yamlOf(text: JsonValue | undefined): JsonValue {
  const loaded = readYaml(String(text).replace(/\t/g, "  "));
  if (!loaded.ok) throw new NotData("the YAML text cannot be read");
  return loaded.value;
}

function properties(value: JsonValue | undefined): { readonly [name: string]: CelSchema } {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, inner]) => [name, goSchema(inner)]));
}

/** `n` of a pointer: `ptr.To[int64](5)`, `maxPtr(5)`. */
function pointed(value: JsonValue | undefined): JsonValue | undefined {
  if (isObject(value) && value["$ptr.To"] !== undefined) return value["$ptr.To"];
  const call = callOf(value);
  return call === undefined ? value : call.args[0];
}

function withRule(schema: CelSchema, rule: ValidationRule): CelSchema {
  return { ...schema, "x-kubernetes-validations": [rule] };
}

const helpers: { readonly [name: string]: (args: readonly JsonValue[]) => CelSchema } = {
  primitiveType: ([type, format]) => ({ type: String(type), ...(format === "" ? {} : { format: String(format) }) }),
  objectType: ([props]) => ({ type: "object", properties: properties(props) }),
  listType: ([items]) => ({ type: "array", items: goSchema(items), "x-kubernetes-list-type": "atomic" }),
  listSetType: ([items]) => ({ type: "array", items: goSchema(items), "x-kubernetes-list-type": "set" }),
  listMapType: ([keys, items]) => ({
    type: "array",
    items: goSchema(items),
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": listOf(keys).map(String),
  }),
  mapType: ([values]) => ({ type: "object", additionalProperties: goSchema(values) }),
  withRule: ([schema, rule]) => withRule(goSchema(schema), { rule: String(rule) }),
  cloneWithRule: ([schema, rule]) => withRule(goSchema(schema), { rule: String(rule) }),
  withNullable: ([nullable, schema]) => ({ ...goSchema(schema), nullable: nullable === true }),
  withDefault: ([value, schema]) => ({ ...goSchema(schema), default: value ?? null }),
  withMaxLength: ([schema, max]) => ({ ...goSchema(schema), maxLength: Number(pointed(max)) }),
  withMaxItems: ([schema, max]) => ({ ...goSchema(schema), maxItems: Number(pointed(max)) }),
  withMaxProperties: ([schema, max]) => ({ ...goSchema(schema), maxProperties: Number(pointed(max)) }),
  withReasonAndFldPath: ([schema, rule, path, reason]) => {
    const named = JSON.stringify(reason)
      .match(/FieldValue\w+?(?=\W|$)/g)
      ?.find((name) => name !== "FieldValueErrorReason");
    return withRule(goSchema(schema), {
      rule: String(rule),
      fieldPath: String(path),
      ...(named === undefined ? {} : { reason: named }),
    });
  },
  intOrStringType: () => ({ "x-kubernetes-int-or-string": true }),
  genMatchSelectorSchema: ([rule]) => {
    const text = { type: "string" };
    const expression = { type: "object", properties: { key: text, operator: text, values: { type: "array", items: text } } };
    const matchExpressions: CelSchema = { type: "array", items: expression };
    return withRule({ type: "object", properties: { matchExpressions } }, { rule: String(rule) });
  },
  schemas: (all) => ({ type: "object", properties: Object.fromEntries(all.map((one, i) => [`val${i + 1}`, goSchema(one)])) }),
  mustSchema: ([text]) => yamlOf(text) as CelSchema,
};

function rulesOf(value: JsonValue | undefined): readonly ValidationRule[] {
  return listOf(value).map((rule) => {
    const { Rule, Message, MessageExpression, Reason, FieldPath, OptionalOldSelf } = fieldsOf(rule);
    const reason =
      goName(pointed(Reason))?.split(".").at(-1) ?? JSON.stringify(Reason ?? null).match(/FieldValue(?!Error)\w+/)?.[0];
    return {
      rule: String(Rule ?? ""),
      ...(Message === undefined ? {} : { message: String(Message) }),
      ...(MessageExpression === undefined ? {} : { messageExpression: String(MessageExpression) }),
      ...(reason === undefined ? {} : { reason }),
      ...(FieldPath === undefined ? {} : { fieldPath: String(FieldPath) }),
      ...(OptionalOldSelf === undefined ? {} : { optionalOldSelf: pointed(OptionalOldSelf) === true }),
    };
  });
}

/** A literal of schema.Structural or schema.NestedValueValidation. */
function literal(value: JsonValue): CelSchema {
  const fields = fieldsOf(value);
  const generic = fieldsOf(fields["Generic"] ?? fields["ForbiddenGenerics"]);
  const extensions = fieldsOf(fields["Extensions"] ?? fields["ForbiddenExtensions"]);
  const validation = fieldsOf(fields["ValueValidation"]);
  const rules = rulesOf(fieldsOf(fields["ValidationExtensions"])["XValidations"]);
  const additional = fieldsOf(fields["AdditionalProperties"])["Structural"] ?? fields["AdditionalProperties"];
  const known: [string, JsonValue | CelSchema | readonly ValidationRule[] | readonly CelSchema[] | undefined][] = [
    ["type", generic["Type"]],
    ["nullable", generic["Nullable"]],
    ["default", fieldsOf(generic["Default"])["Object"]],
    ["format", validation["Format"]],
    ["maxLength", pointed(validation["MaxLength"])],
    ["maxItems", pointed(validation["MaxItems"])],
    ["maxProperties", pointed(validation["MaxProperties"])],
    ["required", validation["Required"] === undefined ? undefined : listOf(validation["Required"])],
    ["allOf", validation["AllOf"] === undefined ? undefined : listOf(validation["AllOf"]).map(goSchema)],
    ["properties", fields["Properties"] === undefined ? undefined : (properties(fields["Properties"]) as JsonObject)],
    ["items", fields["Items"] === undefined ? undefined : goSchema(fields["Items"])],
    ["additionalProperties", additional === undefined ? undefined : goSchema(additional)],
    ["x-kubernetes-list-type", pointed(extensions["XListType"])],
    ["x-kubernetes-list-map-keys", extensions["XListMapKeys"] === undefined ? undefined : listOf(extensions["XListMapKeys"])],
    ["x-kubernetes-map-type", pointed(extensions["XMapType"])],
    ["x-kubernetes-int-or-string", extensions["XIntOrString"]],
    ["x-kubernetes-embedded-resource", extensions["XEmbeddedResource"]],
    ["x-kubernetes-preserve-unknown-fields", extensions["XPreserveUnknownFields"]],
    ["x-kubernetes-validations", rules.length === 0 ? undefined : rules],
  ];
  return Object.fromEntries(known.filter(([, member]) => member !== undefined)) as CelSchema;
}

/** The schema that an expression of the Go tests makes. */
export function goSchema(value: JsonValue | undefined): CelSchema {
  const name = goName(value)?.replace(/^[*&]/, "");
  const primitive = name === undefined ? undefined : primitives[name];
  if (primitive !== undefined) return primitive;
  const call = callOf(value);
  if (call !== undefined) {
    const helper = helpers[call.name] ?? helpers[call.name.replace(/Ptr$/, "")];
    if (helper === undefined) throw new NotData(`${call.name} is not known`);
    return helper(call.args);
  }
  if (isObject(value)) return literal(value);
  throw new NotData("no schema");
}

/** The object that an expression of the Go tests makes. */
export function goObject(value: JsonValue | undefined): JsonValue {
  if (value === undefined || value === null) return null;
  const name = goName(value);
  if (name !== undefined) return goNumber(name);
  const call = callOf(value);
  if (call !== undefined) return goCall(call.name, call.args);
  if (isArray(value)) return value.map(goObject);
  if (!isObject(value)) return value;
  if (value["$int64"] !== undefined) return goObject(value["$int64"]);
  if (value["$elts"] !== undefined) return listOf(value).map(goObject);
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, member]) => [key, goObject(member)]));
}

function goNumber(name: string): JsonValue {
  const known: { readonly [name: string]: number | bigint } = {
    "math.MaxInt64": 9223372036854775807n,
    "math.MaxInt32": 2147483647,
    "math.MaxFloat64": Number.MAX_VALUE,
    "math.MaxFloat32": 3.4028234663852886e38,
  };
  const number = known[name] ?? Number(name);
  if (Number.isNaN(Number(number))) throw new NotData(`${name} is not known`);
  return number;
}

function goCall(name: string, args: readonly JsonValue[]): JsonValue {
  switch (name) {
    case "objs":
      return Object.fromEntries(args.map((one, i) => [`val${i + 1}`, goObject(one)]));
    case "int32":
    case "int64":
    case "float32":
    case "float64":
      return goObject(args[0]);
    case "buildLargeArray":
      return Array.from({ length: Number(args[0]) }, (_, i) => i);
    case "mustUnstructured":
      return yamlOf(args[0]);
    default:
      throw new NotData(`${name} is not known`);
  }
}

/** A rule that stands as a Go expression: plain text, or one of the two ways in which the tests put texts together. */
export function goText(text: string): string {
  const numbers: { readonly [name: string]: string } = {
    "int64(math.MaxInt64)": "9223372036854775807",
    "math.MaxInt32": "2147483647",
    "math.MaxFloat64": BigInt(Number.MAX_VALUE).toString(),
    "math.MaxFloat32": BigInt(3.4028234663852886e38).toString(),
  };
  const evaluated = text.replace(
    /fmt\.Sprintf\("([^"]*)", ((?:int64\()?math\.\w+\)?)\)/g,
    (whole, format: string, name: string) => {
      const number = numbers[name];
      return number === undefined ? whole : JSON.stringify(format.replace("%d", number).replace("%f", `${number}.000000`));
    },
  );
  const same = /^ValsEqualThemselvesAndDataLiteral\("(.*)", "(.*)", ("(?:[^"\\]|\\.)*"|`[^`]*`)\)$/.exec(evaluated);
  if (same !== null) {
    const [, a = "", b = "", quoted = ""] = same;
    const literalText: string = quoted.startsWith("`") ? quoted.slice(1, -1) : JSON.parse(quoted);
    return `${a} == ${literalText} && ${literalText} == ${a} && ${a} == ${b}`;
  }
  if (/fmt\.|genString|strings\./.test(evaluated)) throw new NotData(`${text} is Go code`);
  return evaluated !== text && evaluated.startsWith('"') ? JSON.parse(evaluated) : text;
}
