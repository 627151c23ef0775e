import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { checkSchemas } from "./check-schemas.ts";

const definition = (schema: string, more = "") => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1, served: true, storage: true, ${more} schema: {openAPIV3Schema: {type: object, properties: {spec: ${schema}, status: {type: string}}}}}]
`;

const isObjectDocument = (document: SourceDocument): document is SourceDocument<KubernetesObject> =>
  isKubernetesObject(document.value);
const documents = (text: string) => parseDocuments(text, "x.yaml").documents.filter(isObjectDocument);

const gadget = (spec: JsonObject, more: JsonObject = {}): KubernetesObject => ({
  apiVersion: "example.com/v1",
  kind: "Gadget",
  metadata: { name: "g", namespace: "n" },
  spec,
  ...more,
});

function errors(crd: string, object: KubernetesObject, before: readonly KubernetesObject[] = []): readonly string[] {
  const objects = documents(`${crd}---\n${JSON.stringify(object)}`);
  const { findings } = checkSchemas({ objects, definitions: [], before, builtInGroups: new Set(["apiextensions.k8s.io"]) });
  return findings.map((f) => f.message.replace(/^The API server refuses the (?:object|definition): /, ""));
}

const rule = (text: string) =>
  definition(
    `{type: object, properties: {a: {type: integer}, b: {type: integer, default: 1}}, x-kubernetes-validations: [${text}]}`,
  );

describe("an object of a custom kind", () => {
  test.each<[string, string, JsonObject, readonly string[]]>([
    [
      "wrong type",
      "{type: object, properties: {a: {type: integer}}}",
      { a: "x" },
      ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
    ],
    ["missing field", "{type: object, required: [a], properties: {a: {type: integer}}}", {}, ["spec.a: Required value"]],
    ["missing field with a default", "{type: object, required: [a], properties: {a: {type: integer, default: 1}}}", {}, []],
    [
      "one of several",
      "{type: object, properties: {a: {enum: [x, z], type: string}}}",
      { a: "w" },
      ['spec.a: Unsupported value: "w": supported values: "x", "z"'],
    ],
    ["fields that are dropped", "{type: object, properties: {a: {type: integer}}}", { other: 1 }, []],
    [
      "a set",
      "{type: object, properties: {a: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}",
      { a: ["x", "x"] },
      ['spec.a[1]: Duplicate value: "x"'],
    ],
  ])("%s", (_, schema, spec, expected) => {
    expect(errors(definition(schema), gadget(spec))).toEqual(expected);
  });

  test("a status with a door of its own is not looked at", () => {
    const object = gadget({}, { status: 1 });
    expect(errors(definition("{type: object}", "subresources: {status: {}},"), object)).toEqual([]);
    expect(errors(definition("{type: object}"), object)).toHaveLength(1);
  });
});

describe("a validation rule", () => {
  test.each<[string, string, JsonObject, readonly string[]]>([
    ["holds", "{rule: self.a > self.b}", { a: 2 }, []],
    ["does not hold", "{rule: self.a > self.b, message: too small}", { a: 1 }, ["spec: Invalid value: too small"]],
    [
      "computes its message",
      "{rule: self.a > self.b, messageExpression: \"self.a > 0 ? 'a is one' : 'a is none'\"}",
      { a: 1 },
      ["spec: Invalid value: a is one"],
    ],
    [
      "names a field and a reason",
      "{rule: self.a > self.b, message: never, fieldPath: .a, reason: FieldValueForbidden}",
      { a: 1 },
      ["spec.a: Forbidden: never"],
    ],
    [
      "is not asked about a wrong type",
      "{rule: self.a > 1}",
      { a: "x" },
      ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
    ],
  ])("%s", (_, text, spec, expected) => {
    expect(errors(rule(text), gadget(spec))).toEqual(expected);
  });

  test("about a change is asked where there is something from before", () => {
    const immutable = rule("{rule: self.a == oldSelf.a, message: immutable}");
    expect(errors(immutable, gadget({ a: 2 }))).toEqual([]);
    expect(errors(immutable, gadget({ a: 2 }), [gadget({ a: 1 })])).toEqual(["spec: Invalid value: immutable"]);
  });

  test("is not held against what did not change", () => {
    const positive = rule("{rule: self.a > 0, message: negative}");
    expect(errors(positive, gadget({ a: -1 }), [gadget({ a: -1 })])).toEqual([]);
    expect(errors(positive, gadget({ a: -1 }), [gadget({ a: -2 })])).toHaveLength(1);
  });

  test("that may cost too much is the definition's fault", () => {
    const [first, second] = errors(rule(`{rule: "true", messageExpression: "'a' + string(self.a)"}`), gadget({}));
    expect(first).toContain(
      "version v1: spec: true: estimated messageExpression cost exceeds budget by factor of more than 100x",
    );
    expect(second).toContain("estimated rule cost total for entire OpenAPIv3 schema");
  });

  test("that does not compile is the definition's fault", () => {
    const [first] = errors(rule("{rule: self.none > 0}"), gadget({}));
    expect(first).toContain("version v1: spec: self.none > 0: compilation failed");
  });
});

test("a kind without a definition is told", () => {
  const objects = documents(JSON.stringify(gadget({})));
  const { findings, diagnostics } = checkSchemas({ objects, definitions: [], before: [], builtInGroups: new Set([""]) });
  expect([findings, diagnostics.map((d) => d.code)]).toEqual([[], ["SCHEMA_UNKNOWN"]]);
});
