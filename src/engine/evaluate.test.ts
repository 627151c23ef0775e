import { describe, expect, test } from "vitest";
import type { Action } from "../core/action.ts";
import { apiResources } from "../core/api-resources.ts";
import { type Facts, type Need, NeedsFacts, noFacts } from "../core/facts.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { BudgetExceeded } from "../policies/budget.ts";
import type { CompiledPolicy, CompiledRule, Enforcement, RuleContext, RuleKind, RuleResult } from "../policies/policy.ts";
import { type EvaluateOptions, evaluate, rulesForOthers } from "./evaluate.ts";
import { policyName, toFinding } from "./findings.ts";
import { PolicySet } from "./policy-set.ts";

const pod: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "shop" }, spec: { n: 1 } };
const host = { now: () => 0, random: () => 0 };

const document: SourceDocument<KubernetesObject> = {
  file: "p.yaml",
  index: 0,
  value: pod,
  locate: (path) => ({
    file: "p.yaml",
    start: { offset: 0, line: path.length + 1, column: 1 },
    end: { offset: 1, line: path.length + 1, column: 2 },
  }),
  locateKey: () => undefined,
};

interface RuleSpec extends Partial<CompiledRule> {
  readonly name: string;
  readonly says: RuleResult["status"] | ((context: RuleContext) => readonly RuleResult[]);
  readonly enforces?: Enforcement;
}

function rule({ name, says, enforces = "audit", kind = "validate", ...rest }: RuleSpec): CompiledRule {
  return {
    name,
    kind,
    selectors: [{ group: "*", version: "*", kind: "Pod", subresource: "" }],
    operations: undefined,
    enforcement: () => enforces,
    evaluate: typeof says === "function" ? says : () => [{ status: says, message: `${name} says ${says}` }],
    ...rest,
  };
}

function policy(name: string, rules: readonly RuleSpec[], parts: Partial<CompiledPolicy> = {}): CompiledPolicy {
  return {
    id: { group: "kyverno.io", kind: "ClusterPolicy", namespace: "", name },
    origin: document,
    title: "T",
    category: "",
    severity: "high",
    controls: ["cis:1"],
    onError: "deny",
    emitWarning: false,
    background: true,
    admission: true,
    firstRuleOnly: false,
    needs: [],
    rules: rules.map(rule),
    ...parts,
  };
}

const action = (parts: Partial<Action> = {}): Action => ({
  channel: "scan",
  actor: undefined,
  operation: "CREATE",
  dryRun: false,
  target: {
    type: "kubernetes",
    group: "",
    version: "v1",
    kind: "Pod",
    resource: "pods",
    subresource: "",
    namespace: "shop",
    name: "p",
  },
  object: pod,
  at: 0,
  ...parts,
});

function run(
  policies: readonly CompiledPolicy[],
  parts: Partial<Action> = {},
  options: Partial<EvaluateOptions> = {},
  facts = noFacts("none"),
) {
  return evaluate(new PolicySet(policies), action(parts), facts, host, { resources: apiResources([]), ...options });
}

function decide(...parameters: Parameters<typeof run>) {
  const evaluation = run(...parameters);
  if (evaluation.kind === "pending") throw new Error("pending");
  return evaluation.decision;
}

const said = (...parameters: Parameters<typeof run>) =>
  decide(...parameters).results.map(({ rule: r, result }) => `${r.name}:${result.status}`);

describe("results", () => {
  const all = policy("p", [
    { name: "a", says: "pass" },
    { name: "b", says: "fail" },
    { name: "c", says: "skip" },
    { name: "d", says: () => [] },
  ]);

  test("are all but passes, which are counted", () => {
    const decision = decide([all]);
    expect(decision.results.map((r) => r.rule.name)).toEqual(["b", "c"]);
    expect(decision.counts).toEqual({ pass: 1, fail: 1, warn: 0, error: 0, skip: 1 });
  });

  test("hold passes where they are asked for", () => {
    expect(said([all], {}, { passes: true })).toEqual(["a:pass", "b:fail", "c:skip"]);
  });

  test.each<[string, Partial<CompiledRule>, Partial<Action>]>([
    ["of another kind", { selectors: [{ group: "*", version: "*", kind: "Service", subresource: "" }] }, {}],
    ["of another version", { selectors: [{ group: "*", version: "v2", kind: "Pod", subresource: "" }] }, {}],
    ["of other operations", { operations: new Set(["DELETE" as const]) }, {}],
  ])("do not come from rules %s", (_, parts, on) => {
    expect(said([policy("p", [{ name: "a", says: "fail", ...parts }])], on)).toEqual([]);
  });

  test.each<[Action["channel"], readonly string[]]>([
    ["scan", ["a:fail", "b:fail"]],
    ["admission", ["a:fail"]],
    ["background", ["b:fail"]],
  ])("in the channel %s", (channel, expected) => {
    const policies = [
      policy("p", [{ name: "a", says: "fail" }], { background: false }),
      policy("q", [{ name: "b", says: "fail" }], { admission: false }),
    ];
    expect(said(policies, { channel })).toEqual(expected);
  });

  test("stop after the first rule that applies, where the policy says so", () => {
    const rules: readonly RuleSpec[] = [
      { name: "a", says: "skip" },
      { name: "b", says: "fail" },
      { name: "c", says: "fail" },
    ];
    expect(said([policy("p", rules, { firstRuleOnly: true })])).toEqual(["a:skip", "b:fail"]);
  });
});

describe("stages", () => {
  const change =
    (n: number) =>
    ({ object }: RuleContext): readonly RuleResult[] => [
      { status: "pass", message: "", object: { ...pod, ...object, spec: { n } } },
    ];
  const show = ({ object }: RuleContext): readonly RuleResult[] => [
    { status: "fail", message: JSON.stringify(object?.["spec"]) },
  ];
  const policies = [
    policy("p", [
      { name: "check", says: show },
      { name: "change", kind: "mutate", says: change(2) },
    ]),
    policy("q", [
      { name: "again", kind: "mutate", says: change(3) },
      { name: "make", kind: "generate", says: show },
    ]),
  ];

  test("mutate first, whatever the order of policies and rules", () => {
    const decision = decide(policies);
    expect(decision.results.map((r) => r.rule.name)).toEqual(["change", "again", "check", "make"]);
    expect(decision.results[2]?.result.message).toBe('{"n":3}');
    expect(decision.object?.["spec"]).toEqual({ n: 3 });
  });

  test.each<[readonly RuleKind[], readonly string[]]>([
    [["validate"], ["check:fail"]],
    [
      ["generate", "mutate"],
      ["make:fail", "change:pass", "again:pass"],
    ],
  ])("can be chosen: %j", (kinds, expected) => {
    expect(said(policies, {}, { kinds })).toEqual(expected);
  });
});

describe("the effect", () => {
  test.each<[string, RuleSpec, Partial<CompiledPolicy>, "allow" | "deny", readonly string[]]>([
    ["of an enforced failure", { name: "a", says: "fail", enforces: "enforce" }, {}, "deny", []],
    ["of a failure that is only recorded", { name: "a", says: "fail" }, {}, "allow", []],
    ["of a failure that warns", { name: "a", says: "fail", enforces: "warn" }, {}, "allow", ["policy p.a: a says fail"]],
    [
      "of a failure of a policy that warns",
      { name: "a", says: "fail" },
      { emitWarning: true },
      "allow",
      ["policy p.a: a says fail"],
    ],
    ["of an error", { name: "a", says: "error" }, {}, "deny", []],
    ["of an error where the policy fails open", { name: "a", says: "error" }, { onError: "allow" }, "allow", []],
    ["of a warning", { name: "a", says: "warn", enforces: "enforce" }, {}, "allow", []],
    ["of a skip", { name: "a", says: "skip", enforces: "enforce" }, { emitWarning: true }, "allow", []],
  ])("%s", (_, spec, parts, effect, warnings) => {
    expect(decide([policy("p", [spec], parts)])).toMatchObject({ effect, warnings });
  });
});

describe("what a rule throws", () => {
  const throwing = (error: unknown) => () => {
    throw error;
  };

  test.each([
    ["an error", new Error("broken"), "broken"],
    ["the end of its budget", new BudgetExceeded(), "evaluation stopped: it used up its budget"],
  ])("%s is its result; the others still count", (_, error, message) => {
    const decision = decide([
      policy("p", [
        { name: "a", says: throwing(error) },
        { name: "b", says: "pass" },
      ]),
    ]);
    expect(decision.results.map(({ result }) => [result.status, result.message])).toEqual([["error", message]]);
    expect(decision.counts.pass).toBe(1);
  });

  test("the budget starts anew for each rule", () => {
    const spending = ({ budget }: RuleContext): readonly RuleResult[] => {
      budget.spend(6);
      return [{ status: "pass", message: "" }];
    };
    const policies = [
      policy("p", [
        { name: "a", says: spending },
        { name: "b", says: spending },
      ]),
    ];
    expect(decide(policies, {}, { budget: 10 }).counts).toMatchObject({ pass: 2, error: 0 });
    expect(decide(policies, {}, { budget: 5 }).counts).toMatchObject({ pass: 0, error: 2 });
  });
});

describe("needs", () => {
  const need = (name: string): Need => ({ kind: "namespace", name });
  const asking =
    (name: string) =>
    ({ facts }: RuleContext): readonly RuleResult[] => {
      const fact = facts.get(need(name));
      if (fact === undefined) throw new NeedsFacts([need(name)]);
      return [{ status: "pass", message: "" }];
    };

  test("of all rules of a stage are collected, each once", () => {
    const unknown: Facts = { get: () => undefined };
    const rules: readonly RuleSpec[] = ["x", "y", "x"].map((name, i) => ({ name: `r${i}`, says: asking(name) }));
    expect(run([policy("p", rules)], {}, {}, unknown)).toEqual({ kind: "pending", needs: [need("x"), need("y")] });
  });

  test("of a mutation come before anything that would see its outcome", () => {
    const unknown: Facts = { get: () => undefined };
    const rules: readonly RuleSpec[] = [
      { name: "m", kind: "mutate", says: asking("x") },
      { name: "v", says: asking("y") },
    ];
    expect(run([policy("p", rules)], {}, {}, unknown)).toEqual({ kind: "pending", needs: [need("x")] });
  });

  test("are met when the facts know them", () => {
    const known: Facts = { get: () => ({ ok: true, value: {} }) };
    expect(decide([policy("p", [{ name: "a", says: asking("x") }])], {}, {}, known).counts.pass).toBe(1);
  });
});

describe("a finding", () => {
  const failing = policy("p", [
    { name: "a", says: () => [{ status: "fail", message: "m", locate: () => ["spec", "n"], evidence: { was: 1 } }] },
  ]);

  test("says what, where and how bad", () => {
    const [result] = decide([failing]).results;
    if (result === undefined) throw new Error("no result");
    expect(toFinding(result, pod, document)).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      check: { policy: "kyverno.io/ClusterPolicy/p", rule: "a", title: "T" },
      status: "fail",
      severity: "high",
      resource: { kind: "Pod", namespace: "shop", name: "p" },
      path: ["spec", "n"],
      location: { file: "p.yaml", start: { line: 3 } },
      message: "m",
      evidence: { was: 1 },
      controls: ["cis:1"],
    });
  });

  test("is about the other object that a rule changed", () => {
    const target: KubernetesObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } };
    const [result] = decide([
      policy("p", [{ name: "a", kind: "mutate", says: () => [{ status: "pass", message: "", target }] }]),
    ]).results;
    if (result === undefined) throw new Error("no result");
    expect(toFinding(result, pod).resource).toMatchObject({ kind: "ConfigMap", name: "c" });
  });

  test("names policies of namespaces with them", () => {
    expect(policyName({ group: "kyverno.io", kind: "Policy", namespace: "ns", name: "p" })).toBe("kyverno.io/Policy/ns/p");
  });
});

test("candidates are computed once per kind of target", () => {
  let asked = 0;
  const counting = rule({ name: "a", says: "pass" });
  const selectors = counting.selectors;
  const set = new PolicySet([
    {
      ...policy("p", []),
      rules: [
        {
          ...counting,
          get selectors() {
            asked++;
            return selectors;
          },
        },
      ],
    },
  ]);
  const key = { group: "", version: "v1", kind: "Pod", subresource: "", operation: "CREATE" } as const;
  asked = 0;
  expect(set.candidates(key).validate).toHaveLength(1);
  expect(set.candidates(key)).toBe(set.candidates({ ...key }));
  expect(asked).toBe(1);
  expect(set.candidates({ ...key, kind: "Service" }).validate).toEqual([]);
});

describe("mutations that the API server makes itself", () => {
  const count = (object: KubernetesObject | undefined, label: string) => Number(object?.metadata?.labels?.[label] ?? 0);
  const label = (object: KubernetesObject, name: string, value: string): KubernetesObject => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata?.labels, [name]: value } },
  });
  /** Counts in a label how often it ran. */
  const counting = (name: string, reinvoke: boolean): RuleSpec => ({
    name,
    kind: "mutate",
    inServer: { reinvoke },
    says: ({ object, reinvoked }) => {
      if (object === undefined || reinvoked?.has("") === false) return [];
      return [{ status: "pass", message: "", invocation: "", object: label(object, name, String(count(object, name) + 1)) }];
    },
  });
  const webhook: RuleSpec = {
    name: "webhook",
    kind: "mutate",
    says: ({ object }) =>
      object === undefined ? [] : [{ status: "pass", message: "", object: label(object, "seen", String(count(object, "a"))) }],
  };

  test("run again where the object changed, if they want to", () => {
    const { object, counts } = decide([policy("p", [counting("a", true)]), policy("q", [counting("b", false)])]);
    expect(object?.metadata?.labels).toEqual({ a: "2", b: "1" });
    expect(counts.pass).toBe(2);
  });

  test("come before webhooks, whose changes they see the second time", () => {
    const { object } = decide([policy("w", [webhook]), policy("p", [counting("a", true)])]);
    expect(object?.metadata?.labels).toEqual({ a: "2", seen: "1" });
  });

  test("do not run again where nothing changed", () => {
    let runs = 0;
    const idle: RuleSpec = {
      ...counting("a", true),
      says: () => {
        runs++;
        return [{ status: "pass", message: "", invocation: "" }];
      },
    };
    decide([policy("p", [idle])]);
    expect(runs).toBe(1);
  });

  test("are selected by the object that was sent, in each round", () => {
    const seen: (string | undefined)[] = [];
    const looking: RuleSpec = {
      ...counting("b", true),
      says: ({ object, sent }) => {
        seen.push(sent?.metadata?.labels?.["a"]);
        return object === undefined ? [] : [{ status: "pass", message: "", invocation: "", object: label(object, "b", "1") }];
      },
    };
    decide([policy("p", [counting("a", false)]), policy("q", [looking])]);
    expect(seen).toEqual([undefined, "1"]);
  });
});

describe("rules that act elsewhere", () => {
  const downstream = {
    synchronize: false,
    existing: false,
    orphan: false,
    serverSideApply: false,
    skipsOwnWrites: true,
    runsOnce: false,
    kinds: undefined,
  };
  const admission = { channel: "admission" } as const;
  const changing = policy("p", [{ name: "t", kind: "mutate", says: "pass", downstream }]);

  test("and change other objects wait for the answer, unless they are asked for", () => {
    expect(said([changing], admission, { passes: true })).toEqual([]);
    expect(said([changing], admission, { passes: true, targets: true })).toEqual(["t:pass"]);
    expect(said([changing], {}, { passes: true })).toEqual(["t:pass"]);
    const waiting = rulesForOthers(
      new PolicySet([changing, policy("q", [{ name: "v", says: "pass" }])]),
      action(),
      apiResources([]),
    );
    expect(waiting.map((one) => one.rule.name)).toEqual(["t"]);
  });

  test("deny nothing when they cannot be carried out", () => {
    const generating = policy("p", [{ name: "g", kind: "generate", says: "error", downstream }]);
    expect(decide([generating], admission)).toMatchObject({ effect: "allow", counts: { error: 1 } });
  });
});
