import type { Action } from "../../core/action.ts";
import { type ApiResource, type ApiResources, apiResources } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { type Facts, noFacts } from "../../core/facts.ts";
import { gvkOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { allFormats } from "../all-formats.ts";
import { Budget } from "../budget.ts";
import { objectOf, objectsOf } from "../kyverno/policy-run.testing.ts";
import type { CompiledPolicy, RuleResult } from "../policy.ts";

const resource = (group: string, kind: string, plural: string): ApiResource => ({
  group,
  version: "v1",
  kind,
  resource: plural,
  namespaced: true,
  verbs: [],
  subresources: [],
});

export const someResources = apiResources([
  resource("", "Pod", "pods"),
  resource("", "ConfigMap", "configmaps"),
  resource("apps", "Deployment", "deployments"),
  resource("batch", "CronJob", "cronjobs"),
]);

export interface PolicyRun {
  readonly policy: CompiledPolicy;
  readonly diagnostics: readonly Diagnostic[];
  readonly results: readonly (RuleResult & { readonly rule: string })[];
  /** `rule status: message` of each result. */
  readonly said: readonly string[];
}

export interface RunOptions {
  readonly facts?: Facts;
  readonly action?: Partial<Action>;
  readonly exceptions?: string;
  readonly bindings?: string;
  readonly resources?: ApiResources;
}

/** Compiles a policy from YAML, whatever its kind, and evaluates its rules on an object. */
export function runPolicy(
  text: string,
  object: string,
  { facts, action, exceptions = "", bindings = "", resources = someResources }: RunOptions = {},
): PolicyRun {
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no policy");
  const format = allFormats.formats.find((f) => f.kinds.some((k) => k.kind === document.value.kind));
  const lifting = exceptions === "" ? [] : objectsOf(exceptions);
  const binding = bindings === "" ? [] : objectsOf(bindings);
  const compiled = format?.compile(document, { resources, exceptions: lifting, bindings: binding });
  if (compiled?.ok !== true) throw new Error("the policy does not compile");
  const judged = objectOf(object);
  const target = {
    type: "kubernetes",
    ...gvkOf(judged),
    resource: "",
    subresource: "",
    namespace: namespaceOf(judged),
    name: nameOf(judged),
  } as const;
  const whole: Action = {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target,
    object: judged,
    namespaceLabels: {},
    at: 0,
    ...action,
  };
  const results = compiled.value.rules.flatMap((rule) =>
    rule
      .evaluate({
        action: whole,
        object: whole.object,
        oldObject: whole.oldObject,
        facts: facts ?? noFacts("no facts in this test"),
        host: { now: () => 0, random: () => 0 },
        budget: new Budget(10_000),
        resources,
      })
      .map((result) => ({ rule: rule.name, ...result })),
  );
  const said = results.map(({ rule, status, message }) => `${rule} ${status}: ${message}`);
  return { policy: compiled.value, diagnostics: compiled.diagnostics, results, said };
}
