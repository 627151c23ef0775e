import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { regoDocument } from "../adapters/files/rego-document.ts";
import { noFacts } from "../core/facts.ts";
import { evaluate } from "../engine/index.ts";
import { objectOf } from "../policies/kyverno/policy-run.testing.ts";
import { compilePolicies } from "./policies.ts";

const resources = loadKubernetesSchemas().resources();
const host = { now: () => 0, random: () => 0 };

function judge(...modules: readonly string[]) {
  const { set, diagnostics } = compilePolicies(
    modules.map((text, i) => regoDocument(`m${i}.rego`, text)),
    resources,
  );
  const object = objectOf("{apiVersion: v1, kind: Pod, metadata: {name: web}}");
  const target = {
    type: "kubernetes",
    group: "",
    version: "v1",
    kind: "Pod",
    resource: "pods",
    subresource: "",
    namespace: "",
    name: "web",
  } as const;
  const action = { channel: "scan", actor: undefined, operation: "CREATE", dryRun: false, target, object, at: 0 } as const;
  const evaluation = evaluate(set, action, noFacts("none"), host, { resources, passes: true });
  if (evaluation.kind === "pending") throw new Error("facts are missing");
  const said = evaluation.decision.results.map(
    ({ policy, rule, result }) => `${policy.id.name}.${rule.name} ${result.status}: ${result.message}`,
  );
  return { said, diagnostics: diagnostics.map((d) => `${d.code} ${d.span?.file}:${d.span?.start.line}`) };
}

describe("plain Rego as Conftest runs it", () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      "deny, violation and warn speak",
      ['package main\ndeny contains "a"\nviolation contains {"msg": "b"}\nwarn contains "c"'],
      ["main.deny fail: a", "main.violation fail: b", "main.warn warn: c"],
    ],
    ["so do rules whose names go on", ["package main\ndeny_latest contains input.metadata.name"], ["main.deny_latest fail: web"]],
    ["others do not", ['package main\nallow := true\ndenied contains "x"'], []],
    ["rules that hold for nothing pass", ['package main\ndeny contains "x" if false'], ["main.deny pass: "]],
    [
      "exceptions lift them",
      ['package main\ndeny_a contains "x"\nexception contains ["a"]'],
      ["main.deny_a skip: lifted by the rule exception: x"],
    ],
    [
      "modules see each other, whatever their version",
      ["package main\nimport data.lib\ndeny contains lib.name", 'package lib\nname = n { n := "old" }'],
      ["main.deny fail: old"],
    ],
    [
      "what is no message is an error",
      ["package main\ndeny contains 1"],
      ["main.deny error: an element of the rule is neither a string nor an object with a string msg"],
    ],
  ])("%s", (_, modules, expected) => expect(judge(...modules)).toEqual({ said: expected, diagnostics: [] }));

  test("errors are told once, with their place", () => {
    expect(judge("package main\ndeny contains x", 'package other\nwarn contains "a"')).toEqual({
      said: [],
      diagnostics: ["REGO_UNSAFE_VAR m0.rego:2"],
    });
  });
});
