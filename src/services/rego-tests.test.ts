import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { explainRules } from "./rego-explain.ts";
import { loadRego } from "./rego-files.ts";
import { askRego } from "./rego-query.ts";
import { memoryFiles } from "./test-files.testing.ts";
import { runTestFile } from "./test-run.ts";
import { allTests } from "./test-selection.ts";

const host = { now: () => 0, random: () => 0 };
const policy = `package main
deny contains msg if {
  input.kind == "Pod"
  not input.metadata.labels.owner
  msg := sprintf("%s has no owner; ask %s", [input.metadata.name, data.contact])
}`;
const files = memoryFiles({
  "p/a.rego": policy,
  "p/old.rego": 'package old\nallowed(x) { x == "a" }',
  "p/data.json": '{"contact": "us"}',
  "p/a_test.rego": `package main_test
import data.main
test_denies if main.deny == {"x has no owner; ask us"} with input as {"kind": "Pod", "metadata": {"name": "x"}}
test_fails if count(main.deny) == 7
test_old if data.old.allowed("a")
test_cases[name] if some name in ["one", "two"]
todo_test_more if false`,
});

test("tests of Rego run with the modules and data beside them", () => {
  const request = { files, resources: loadKubernetesSchemas().resources(), host, selection: allTests };
  const [outcome] = runTestFile("p/a_test.rego", request);
  expect(outcome?.diagnostics).toEqual([]);
  expect(outcome?.rows.map(({ test: name, outcome: came, location }) => `${location?.start.line} ${name} ${came}`)).toEqual([
    "3 test_denies pass",
    "4 test_fails fail",
    "5 test_old pass",
    "6 test_cases/one pass",
    "6 test_cases/two pass",
    "7 todo_test_more skip",
  ]);
});

describe("a query", () => {
  const { program, modules } = loadRego(["p"], files);
  const ask = (query: string) => {
    if (program === undefined) throw new Error("the modules do not compile");
    return askRego(program, query, { host });
  };

  test.each<[string, unknown]>([
    ["1 + 1", { kind: "values", values: [2] }],
    ["[1, 2][_]", { kind: "values", values: [1, 2] }],
    ["x := 1; y := x + 1", { kind: "bindings", solutions: [{ x: 1, y: 2 }] }],
    ["data.old.nothing", { kind: "values", values: [] }],
    ["1 == 2", { kind: "values", values: [false] }],
  ])("%s", (query, expected) => expect(ask(query)).toEqual(expected));

  test("that is wrong is refused with its place", () => {
    const answer = ask("x +");
    expect(answer.kind === "refused" ? answer.diagnostics[0]?.code : answer.kind).toBe("REGO_PARSE");
  });

  test("that names a rule is explained", () => {
    const explained = explainRules(["main", "deny"], modules, { host });
    expect(explained).toEqual([
      { rule: "data.main.deny", file: "p/a.rego", line: 2, failed: { line: 3, expression: 'input.kind == "Pod"' } },
    ]);
  });
});

test("modules that do not compile are told with their places", () => {
  const broken = loadRego(["b"], memoryFiles({ "b/a.rego": "package a\np if { y > 1 }" }));
  expect(broken.program).toBeUndefined();
  expect(broken.diagnostics[0]).toMatchObject({ code: "REGO_UNSAFE_VAR", span: { file: "b/a.rego", start: { line: 2 } } });
});
