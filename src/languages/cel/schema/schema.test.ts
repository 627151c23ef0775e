import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../core/json.ts";
import { everything, shown, typeOrIssues } from "../evaluate.testing.ts";
import { kubernetesEnvironments } from "../libraries/kubernetes/environment.ts";
import { SchemaTypes } from "./decl-type.ts";
import { escapeName, unescapeName } from "./escape.ts";
import { normalizeFieldPath } from "./field-path.ts";
import { compileRules } from "./rules.ts";
import { type CelSchema, selfContained, type ValidationRule } from "./schema.ts";
import { typedValue } from "./typed-values.ts";
import { formatViolation, type ValidateOptions, validateRules } from "./validate.ts";
import { compileSchema } from "./validator.ts";

const environments = kubernetesEnvironments(36);

const schema: CelSchema = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string", maxLength: 10 },
    replicas: { type: "integer" },
    ratio: { type: "number" },
    at: { type: "string", format: "date-time" },
    wait: { type: "string", format: "duration" },
    raw: { type: "string", format: "byte" },
    port: { "x-kubernetes-int-or-string": true },
    note: { type: "string", nullable: true },
    labels: { type: "object", additionalProperties: { type: "string" } },
    tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    items: {
      type: "array",
      maxItems: 5,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["key"],
      items: { type: "object", properties: { key: { type: "string" }, value: { type: "integer" } } },
    },
    "x-y": { type: "boolean" },
    namespace: { type: "string" },
    any: { "x-kubernetes-preserve-unknown-fields": true },
  },
};

describe("names", () => {
  test.each([
    ["a.b/c-d", "a__dot__b__slash__c__dash__d"],
    ["a__b", "a__underscores__b"],
    ["namespace", "__namespace__"],
    ["plain", "plain"],
  ])("%s is %s", (name, escaped) => {
    expect(escapeName(name)).toBe(escaped);
    expect(unescapeName(escaped)).toBe(name);
  });

  test.each(["1a", "", "a b", "é"])("%j has no escape", (name) => {
    expect(escapeName(name)).toBeUndefined();
  });

  test("escapes can be undone", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z._/-][a-zA-Z0-9._/-]{0,20}$/), (name) => {
        const escaped = escapeName(name);
        if (escaped !== undefined) expect(unescapeName(escaped)).toBe(name);
      }),
    );
  });
});

function envOf(): typeof everything {
  const types = new SchemaTypes();
  const decl = types.declare(schema, "self", false);
  if (decl === undefined) throw new Error("the schema has no type");
  return everything.extend({ variables: [{ name: "self", type: decl.type }], structsByName: (name) => types.struct(name) });
}

describe("types of schemas", () => {
  test.each([
    ["self", "self"],
    ["self.name", "string"],
    ["self.ratio", "double"],
    ["self.at", "timestamp"],
    ["self.wait", "duration"],
    ["self.raw", "bytes"],
    ["self.port", "dyn"],
    ["self.labels", "map(string, string)"],
    ["self.items", "list(self.items.@idx)"],
    ["self.items[0].value", "int"],
    ["self.x__dash__y", "bool"],
    ["self.namespace == self.__namespace__", "bool"],
    ["self.any", "ERROR: <input>:1:5: undefined field 'any'\n | self.any\n | ....^"],
    ["self.x_y", "ERROR: <input>:1:5: undefined field 'x_y'\n | self.x_y\n | ....^"],
  ])("%s is %s", (source, expected) => {
    expect(typeOrIssues(source, envOf())).toBe(expected);
  });

  test("sizes are bounded by the schema", () => {
    const decl = new SchemaTypes().declare(schema, "self", false);
    expect(decl?.minSize).toBe(2 + "name".length + 2 + 4);
    expect(decl?.field?.("name")?.maxElements).toBe(40);
    expect(decl?.field?.("items")?.maxElements).toBe(5);
    expect(decl?.field?.("tags")?.maxElements).toBe(Math.trunc((3 * 1024 * 1024 - 2) / 3));
  });

  test("a schema may refer to itself", () => {
    const node: CelSchema = { type: "object", required: ["next"], properties: { next: { $ref: "node" } } };
    const types = new SchemaTypes({ resolve: (given) => (given.$ref === undefined ? given : node) });
    expect(types.declare(node, "node", false)?.field?.("next")?.field?.("next")?.type.name).toBe("node.next.next");
  });
});

const object = {
  name: "web",
  replicas: 3,
  ratio: 2,
  at: "2024-05-06T07:08:09Z",
  wait: "1h30m",
  raw: "aGk=",
  port: 80,
  note: null,
  labels: { "a/b": "c" },
  tags: ["x", "y"],
  items: [
    { key: "a", value: 1 },
    { key: "b", value: 2 },
  ],
  "x-y": true,
  namespace: "n",
};

describe("values of schemas", () => {
  const value = (of: JsonValue) => typedValue(of, schema, selfContained);

  test.each([
    ["self.ratio", "2"],
    ["type(self.ratio) == double", "true"],
    ["self.at.getFullYear()", "2024"],
    ["self.wait.getMinutes()", "90"],
    ["string(self.raw)", "hi"],
    ["type(self.port) == int", "true"],
    ["has(self.note)", "false"],
    ["self.labels['a/b']", "c"],
    ["self.labels.all(k, k == 'a/b')", "true"],
    ["self.tags == ['y', 'x']", "true"],
    ["(self.tags + ['z', 'x']).size()", "3"],
    ["self.tags + self.tags == self.tags", "true"],
    ["self.items.exists(i, i.value == 2)", "true"],
    ["self.x__dash__y", "true"],
    ["self.items[0] in self.items", "true"],
  ])("%s is %s", (source, expected) => {
    expect(shown(source, { self: value(object) }, envOf())).toBe(expected);
  });

  test.each<readonly [JsonValue, string, string]>([
    [{ replicas: "3" }, "self.replicas == 3", "invalid data, expected int, got string"],
    [{ replicas: 1.5 }, "self.replicas == 3", "invalid data, expected int, got float64"],
    [{ items: {} }, "self.items.size() == 0", "invalid data, expected an array for the provided schema with type=array"],
    [{ labels: { a: null } }, "self.labels.a == ''", "invalid data, got null for schema with nullable=false"],
    [{ wait: "soon" }, "self.wait > duration('1s')", "Invalid duration soon: unable to parse soon as duration"],
    [{ raw: "a+b=" }, "self.raw == b''", "Invalid byte formatted string a+b=: illegal base64 data"],
  ])("%j: %s fails", (data, source, message) => {
    expect(shown(source, { self: value(data) }, envOf())).toBe(message);
  });

  test.each([
    ["1 day", "86400s"],
    ["2 weeks 3h", "1220400s"],
    ["1.5s", "1.5s"],
  ])("a duration may be written %s", (text, expected) => {
    expect(shown("self.wait", { self: value({ wait: text }) }, envOf())).toBe(expected);
  });

  test("map lists compare and merge by key", () => {
    const other = value({ items: [object.items[1], { key: "a", value: 1 }] as JsonValue });
    const env = envOf().extend({
      variables: [{ name: "other", type: new SchemaTypes().declare(schema, "self", false)?.type ?? everythingType() }],
    });
    expect(shown("self.items == other.items", { self: value(object), other }, env)).toBe("true");
    expect(shown("self.items + other.items == self.items", { self: value(object), other }, env)).toBe("true");
  });

  function everythingType(): never {
    throw new Error("the schema has no type");
  }
});

function withRules(rules: readonly ValidationRule[], base: CelSchema = schema): CelSchema {
  return { ...base, "x-kubernetes-validations": rules };
}

function judged(of: CelSchema, value: JsonValue, before?: JsonValue, options: ValidateOptions = {}) {
  const node = compileSchema(of, false, { environments });
  if (node === undefined) throw new Error("no rules");
  const { violations, warnings, remainingBudget } = validateRules(node, value, before, options);
  return { violations: violations.map(formatViolation), warnings: warnings.map(formatViolation), remainingBudget };
}

describe("rules", () => {
  test.each<readonly [ValidationRule, string]>([
    [{ rule: "self.replicas > 5" }, ": Invalid value: failed rule: self.replicas > 5"],
    [{ rule: "self.replicas > 5", message: " too few " }, ": Invalid value: too few"],
    [{ rule: "self.replicas > 5", messageExpression: "'only ' + string(self.replicas)" }, ": Invalid value: only 3"],
    [
      { rule: "self.replicas > 5", reason: "FieldValueForbidden", fieldPath: ".replicas" },
      "replicas: Forbidden: failed rule: self.replicas > 5",
    ],
    [
      { rule: "self.items[9].value == 1" },
      ': Invalid value: "object": index out of bounds: 9 evaluating rule: self.items[9].value == 1',
    ],
    [
      { rule: "self.port.startsWith('a')" },
      ": Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.port.startsWith('a')",
    ],
    [{ rule: "self.replicas" }, ': Invalid value: "object": rule compile error: cel expression must evaluate to a bool'],
  ])("%j", (rule, expected) => {
    expect(judged(withRules([rule]), object).violations).toEqual([expected]);
  });

  test("are found at every level", () => {
    const deep: CelSchema = {
      type: "object",
      properties: {
        list: { type: "array", items: withRules([{ rule: "self < 3" }], { type: "integer" }) },
        map: { type: "object", additionalProperties: withRules([{ rule: "self != ''" }], { type: "string" }) },
        "a/b": { type: "object", properties: { c: withRules([{ rule: "self" }], { type: "boolean" }) } },
      },
    };
    expect(judged(deep, { list: [1, 5], map: { k: "" }, "a/b": { c: false } }).violations).toEqual([
      "list[1]: Invalid value: 5: failed rule: self < 3",
      "map[k]: Invalid value: \"\": failed rule: self != ''",
      "a/b.c: Invalid value: false: failed rule: self",
    ]);
  });

  test("that compare with the value before wait for one", () => {
    const immutable = withRules([{ rule: "self == oldSelf", message: "immutable" }], { type: "string" });
    const of: CelSchema = { type: "object", properties: { name: immutable } };
    expect(judged(of, { name: "b" }).violations).toEqual([]);
    expect(judged(of, { name: "b" }, { name: "a" }).violations).toEqual(['name: Invalid value: "b": immutable']);
    expect(judged(of, { name: "a" }, { name: "a" }).violations).toEqual([]);
  });

  test("may ask whether there was a value before", () => {
    const rule = { rule: "oldSelf.hasValue() || self == 'first'", optionalOldSelf: true };
    const of = withRules([rule], { type: "string" });
    expect(judged(of, "first").violations).toEqual([]);
    expect(judged(of, "other").violations).toHaveLength(1);
    expect(judged(of, "other", "first").violations).toEqual([]);
  });

  test("follow elements of map lists by key", () => {
    const of: CelSchema = {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: withRules([{ rule: "self.v >= oldSelf.v" }], {
        type: "object",
        properties: { k: { type: "string" }, v: { type: "integer" } },
      }),
    };
    const before = [
      { k: "a", v: 1 },
      { k: "b", v: 5 },
    ];
    expect(
      judged(
        of,
        [
          { k: "b", v: 4 },
          { k: "c", v: 0 },
          { k: "a", v: 2 },
        ],
        before,
      ).violations,
    ).toEqual(["[0]: Invalid value: failed rule: self.v >= oldSelf.v"]);
  });

  test("of what did not change only warn", () => {
    const of: CelSchema = {
      type: "object",
      properties: { a: withRules([{ rule: "self > 5" }], { type: "integer" }), b: { type: "string" } },
    };
    const changed = judged(of, { a: 1, b: "new" }, { a: 1, b: "old" }, { ratcheting: true });
    expect(changed).toMatchObject({ violations: [], warnings: ["a: Invalid value: 1: failed rule: self > 5"] });
    expect(judged(of, { a: 2 }, { a: 1 }, { ratcheting: true }).violations).toHaveLength(1);
  });

  test("share a budget", () => {
    const of = withRules([{ rule: "self.replicas == 3" }, { rule: "self.name == 'web'" }]);
    expect(judged(of, object).remainingBudget).toBe(10_000_000 - 6);
    const spent = judged(of, object, undefined, { budget: 5 });
    expect(spent.remainingBudget).toBe(-1);
    expect(spent.violations).toEqual([
      ': Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
    ]);
  });

  test("cost at most what their schema allows", () => {
    const compiled = compileRules(
      withRules([{ rule: "self.items.all(i, i.value > 0)" }]),
      (types) => types.declare(schema, "self", false),
      {
        environments,
      },
    );
    expect(typeof compiled === "string" ? compiled : compiled[0]?.maxCost).toBe(33n);
  });
});

test.each([
  [".items", "items"],
  [".labels['a.b']", "labels[a.b]"],
  ["['x-y']", "x-y"],
  [".missing", undefined],
  ["items", undefined],
  [".labels.", undefined],
])("the field path %s is %s", (path, expected) => {
  expect(normalizeFieldPath(path, schema)).toBe(expected);
});
