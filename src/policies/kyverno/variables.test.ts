import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { compileTemplate, isVariable, VariableError, type VariableScope } from "./variables.ts";

const root: JsonObject = {
  request: {
    operation: "CREATE",
    object: { metadata: { name: "web", labels: { app: "shop", env: "prod" } }, spec: { replicas: 3, list: ["a", "b"] } },
    oldObject: { metadata: { name: "old" } },
  },
  dict: { prod: "P", shop: "S" },
  key: "prod",
  template: "{{ dict.prod }}",
  nested: { text: "{{ key }}", plain: 1 },
  nothing: null,
  marked: "<&>",
};

function scope(over: Partial<VariableScope> = {}): VariableScope {
  return { root, deleting: false, host: { now: () => 0, random: () => 0 }, ...over };
}

function substitute(document: JsonValue, over: Partial<VariableScope> = {}, path?: string): JsonValue {
  const template = compileTemplate(document, path);
  if (!template.ok) throw new Error(template.diagnostics.map((d) => d.message).join("; "));
  return template.value.substitute(scope(over));
}

describe("variables", () => {
  test.each<readonly [string, JsonValue, JsonValue]>([
    ["no variable", { a: ["x", 1, null] }, { a: ["x", 1, null] }],
    [
      "a whole text keeps the type",
      ["{{ request.object.spec.replicas }}", "{{ request.object.spec.list }}", "{{nothing}}"],
      [3, ["a", "b"], null],
    ],
    ["inside a text it is written", "n={{ request.object.spec.replicas }} l={{ request.object.spec.list }}", 'n=3 l=["a","b"]'],
    ["null is written null", "x {{ nothing }}", "x null"],
    [
      "objects are written as Go does",
      'x {{ request.object.metadata.labels }} {{ `{"b":"<","a":1}` }}',
      'x {"app":"shop","env":"prod"} {"a":1,"b":"\\u003c"}',
    ],
    ["several", "{{ key }}-{{ request.object.metadata.name }}", "prod-web"],
    ["the inner first", "{{ dict.{{ key }} }}", "P"],
    ["the inner first, quoted", '{{ dict."{{ request.object.metadata.labels.app }}" }}!', "S!"],
    ["braces inside", "{{ {a: key} }}", { a: "prod" }],
    ["keys too", { "{{ key }}": "{{ key }}", "x-{{ key }}": 1 }, { prod: "prod", "x-prod": 1 }],
    ["a key that is null keeps its name", { "{{ nothing }}": 1 }, { "{{ nothing }}": 1 }],
    ["an escaped variable", "\\{{ key }} {{ key }}", "{{ key }} prod"],
    ["after a brace", "a{{{ key }}", "a{prod"],
    ["values are searched again inside a text", "x {{ template }}", "x P"],
    ["but not as a whole", "{{ template }}", "{{ dict.prod }}"],
    ["objects that come in are searched", "{{ nested }}", { text: "prod", plain: 1 }],
    ["a shallow one is not searched again", "x {{- template }}", "x {{ dict.prod }}"],
    ["text that only looks like one", "{{", "{{"],
    ["a function", "{{ to_upper('{{ key }}') }}", "PROD"],
    ["a default", "{{ request.object.missing || 'none' }}", "none"],
  ])("%s", (_, document, expected) => {
    expect(substitute(document)).toEqual(expected);
  });

  test("on DELETE the object is the old object", () => {
    expect(substitute("{{ request.object.metadata.name }}", { deleting: true })).toBe("old");
    expect(substitute("x {{ request.{{ 'object' }}.metadata.name }}", { deleting: true })).toBe("x old");
  });

  test("@ is the place in the object that the text's place in the rule stands for", () => {
    const rule = { mutate: { patchStrategicMerge: { metadata: { name: "{{ @ }}-x", labels: { app: "{{ @ }}" } } } } };
    expect(substitute(rule)).toEqual({
      mutate: { patchStrategicMerge: { metadata: { name: "web-x", labels: { app: "shop" } } } },
    });
    expect(substitute({ metadata: { name: "{{ @ }}" } }, {}, "/mutate/patchStrategicMerge")).toEqual({
      metadata: { name: "web" },
    });
    const target = { ...root, target: { metadata: { name: "aim" } } };
    expect(substitute(rule, { root: { ...target, target: { metadata: { name: "aim", labels: { app: "z" } } } } })).toEqual({
      mutate: { patchStrategicMerge: { metadata: { name: "aim-x", labels: { app: "z" } } } },
    });
  });

  test("what cannot be resolved says where and why", () => {
    const failing = (document: JsonValue): unknown => {
      try {
        return substitute(document);
      } catch (error) {
        return error;
      }
    };
    const missing = failing({ a: ["{{ request.object.x }}"] });
    expect(missing).toBeInstanceOf(VariableError);
    expect(missing).toMatchObject({
      notFound: true,
      message: 'failed to resolve request.object.x at path /a/0: JMESPath query failed: Unknown key "x" in path',
    });
    expect(failing("{{ to_upper(`1`) }}")).toMatchObject({ notFound: false });
    expect(failing("x {{ {{ key }}( }}")).toMatchObject({ notFound: false });
    expect(failing({ "{{ request.object.spec.replicas }}": 1 })).toMatchObject({
      message: 'expected string after substituting variables in key "{{ request.object.spec.replicas }}"',
    });
  });

  test("variables that bring themselves do not go on for ever", () => {
    const endless = { x: "y {{ x }}", wide: "{{ wide }}{{ wide }}" };
    expect(() => substitute("a {{ x }}", { root: endless })).toThrow("do not come to an end");
    expect(() => substitute("a {{ wide }}", { root: endless })).toThrow("do not come to an end");
  });

  test("a bad expression is refused before it is asked", () => {
    const template = compileTemplate({ a: "{{ foo( }}", b: "{{ }}" });
    expect(template.ok).toBe(false);
    expect(template.diagnostics.map((d) => d.code)).toContain("JMESPATH_SYNTAX");
  });

  test("constants say so, and are shared", () => {
    const document = { a: [1, "x"] };
    const template = compileTemplate(document);
    expect(template.ok && template.value.constant).toBe(true);
    expect(template.ok && template.value.substitute(scope())).toBe(document);
  });

  test("members named __proto__ are members", () => {
    const document = JSON.parse('{"__proto__": "{{ key }}"}');
    expect(JSON.stringify(substitute(document))).toBe('{"__proto__":"prod"}');
  });

  test("what counts as a variable", () => {
    expect(["{{a}}", "x{{a}}", "\\{{a}}", "{{a}", "$(a)"].filter(isVariable)).toEqual(["{{a}}", "x{{a}}"]);
  });
});

describe("references", () => {
  test.each<readonly [string, JsonValue, JsonValue]>([
    ["relative", { spec: { a: "x", b: "$(./../a)" } }, { spec: { a: "x", b: "x" } }],
    ["absolute", { spec: { a: "x" }, b: "y $(/spec/a) z" }, { spec: { a: "x" }, b: "y x z" }],
    ["anchors are left out of the path", { "=(spec)": { "(a)": "x" }, b: "$(/spec/a)" }, { "=(spec)": { "(a)": "x" }, b: "x" }],
    ["an operator", { a: "5", b: "$(<=./../a)" }, { a: "5", b: "<=5" }],
    ["an operator on a number", { a: 5, b: "$(>./../a)" }, { a: 5, b: ">5.000000" }],
    ["escaped", { a: "\\$(/b)" }, { a: "$(/b)" }],
    ["to a variable", { a: "{{ key }}", b: "$(/a)!" }, { a: "prod", b: "prod!" }],
  ])("%s", (_, document, expected) => {
    expect(substitute(document)).toEqual(expected);
  });

  test.each([
    [{ a: "$(/b)" }, "got nil resolved variable $(/b) at path /a"],
    [{ a: "$(/b)", b: 5 }, "not resolved at path /a"],
    [{ a: "$(())" }, "expected path, found empty reference"],
  ])("%j is refused", (document, message) => {
    const template = compileTemplate(document);
    expect(template.ok).toBe(false);
    expect(template.diagnostics[0]?.message).toContain(message);
  });
});
