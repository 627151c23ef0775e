import { describe, expect, test } from "vitest";
import { noFacts } from "../../core/facts.ts";
import { objectOf, runRules } from "./policy-run.testing.ts";

const map = (data: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}, data: ${data}}`;

const rule = (cel: string, more = "") => `
- name: r
  match: {any: [{resources: {kinds: [ConfigMap]}}]}
  ${more}
  validate: {message: of the rule, cel: ${cel}}
`;

const said = (...parameters: Parameters<typeof runRules>) =>
  runRules(...parameters).results.map(({ status, message }) => `${status}: ${message}`);

describe("validate.cel", () => {
  test.each<[string, string, string, string]>([
    ["passes", "{expressions: [{expression: 'object.data.a == \"1\"'}]}", '{a: "1"}', "pass: Validation rule 'r' passed."],
    ["fails with the rule's message", "{expressions: [{expression: 'object.data.a == \"1\"'}]}", "{a: x}", "fail: of the rule"],
    ["with its own message", "{expressions: [{expression: 'false', message: own}]}", "{}", "fail: own"],
    [
      "with a computed one",
      "{expressions: [{expression: 'false', messageExpression: '\"a is \" + object.data.a'}]}",
      "{a: x}",
      "fail: a is x",
    ],
    [
      "with the plain one where the computed one has two lines",
      '{expressions: [{expression: "false", messageExpression: "\\"a\\\\nb\\"", message: own}]}',
      "{}",
      "fail: own",
    ],
    [
      "sees variables, each those before it",
      "{variables: [{name: a, expression: object.data.a}, {name: b, expression: 'variables.a + \"!\"'}], expressions: [{expression: 'variables.b == \"x!\"'}]}",
      "{a: x}",
      "pass: Validation rule 'r' passed.",
    ],
    [
      "denies what cannot be evaluated",
      "{expressions: [{expression: 'object.data.b == \"1\"'}]}",
      "{a: x}",
      "fail: expression 'object.data.b == \"1\"' resulted in error: no such key: b",
    ],
    [
      "knows the request",
      '{expressions: [{expression: \'request.operation == "CREATE" && request.namespace == "shop" && namespaceObject.metadata.name == "shop"\'}]}',
      "{}",
      "pass: Validation rule 'r' passed.",
    ],
    [
      "takes orValue on what is no optional",
      '{expressions: [{expression: \'object.data.a.orValue("") == "x"\'}]}',
      "{a: x}",
      "pass: Validation rule 'r' passed.",
    ],
  ])("%s", (_, cel, data, expected) => expect(said(rule(cel), map(data))).toEqual([expected]));

  test("is skipped where a precondition does not hold", () => {
    const preconditions = "celPreconditions: [{name: a, expression: 'object.data.a == \"1\"'}]";
    expect(said(rule("{expressions: [{expression: 'false'}]}", preconditions), map("{a: x}"))).toEqual([
      "skip: cel preconditions not met",
    ]);
  });

  test.each([
    ["does not parse", "object.", "Syntax error"],
    ["has the wrong type", "'1'", "must evaluate to bool but got string"],
    ["names what is not there", "nothing == 1", "undeclared reference to 'nothing'"],
  ])("is an error where an expression %s", (_, expression, message) => {
    const { diagnostics, results } = runRules(rule(`{expressions: [{expression: "${expression}"}]}`), map("{}"));
    expect(diagnostics[0]?.code).toBe("CEL_EXPRESSION");
    expect(results[0]?.status).toBe("error");
    expect(results[0]?.message).toContain(message);
  });
});

describe("parameters", () => {
  const cel = (ref: string) =>
    `{paramKind: {apiVersion: v1, kind: ConfigMap}, paramRef: ${ref}, expressions: [{expression: "object.data.a == params.data.a"}]}`;
  const facts = (...found: readonly string[]) => ({ get: () => ({ ok: true, value: found.map(objectOf) }) as const });

  test.each<[string, ReturnType<typeof facts>, string, string]>([
    ["that fit", facts(map("{a: x}")), "{name: p, parameterNotFoundAction: Deny}", "pass: Validation rule 'r' passed."],
    ["each on its own", facts(map("{a: x}"), map("{a: y}")), "{selector: {}}", "fail: of the rule"],
    ["not there, which is allowed", facts(), "{name: p, parameterNotFoundAction: Allow}", "pass: Validation rule 'r' passed."],
    [
      "not there, which is denied",
      facts(),
      "{name: p, parameterNotFoundAction: Deny}",
      "error: error in parameterized resource: no params found for policy binding with `Deny` parameterNotFoundAction",
    ],
  ])("%s", (_, known, ref, expected) => expect(said(rule(cel(ref)), map("{a: x}"), { facts: known })).toEqual([expected]));

  test("that nobody can look up are an error", () => {
    expect(said(rule(cel("{name: p}")), map("{}"), { facts: noFacts("offline") })).toEqual([
      "error: error in parameterized resource: offline",
    ]);
  });
});
