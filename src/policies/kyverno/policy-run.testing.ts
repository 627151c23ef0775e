import type { Operation } from "../../core/action.ts";
import { apiResources } from "../../core/api-resources.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { type Facts, noFacts } from "../../core/facts.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { Budget } from "../budget.ts";
import type { RuleContext, RuleResult } from "../policy.ts";
import { clusterPolicyFormat } from "./cluster-policy.ts";

export interface PolicyRun {
  readonly diagnostics: readonly Diagnostic[];
  /** Results with the names of their rules, in order. */
  readonly results: readonly (RuleResult & { readonly rule: string })[];
  /** The object after all rules. */
  readonly object: KubernetesObject | undefined;
}

export interface RunOptions {
  readonly facts?: Facts;
  /** In a DELETE the object is the old one. */
  readonly operation?: Operation;
  readonly channel?: "scan" | "admission";
  /** The call that validates, which changes nothing. */
  readonly settled?: boolean;
  readonly oldObject?: string;
  readonly subresource?: string;
}

/** The objects of a YAML text. */
export function objectsOf(text: string): readonly SourceDocument<KubernetesObject>[] {
  const { documents, diagnostics } = parseDocuments(text, "test.yaml");
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join("\n"));
  return documents.map((document) => {
    const { file, index, value } = document;
    if (!isKubernetesObject(value)) throw new Error("no Kubernetes object");
    return { file, index, value, locate: (path) => document.locate(path), locateKey: (path) => document.locateKey(path) };
  });
}

export function objectOf(text: string): KubernetesObject {
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no object");
  return document.value;
}

/** Compiles the rules of a ClusterPolicy from YAML, and evaluates them on an object one after the other. */
export function runRules(rules: string, object: string, options: RunOptions = {}): PolicyRun {
  const indented = rules.replace(/^\n+/, "").replace(/^/gm, "  ");
  const text = `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec:\n  rules:\n${indented}`;
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no policy");
  const compiled = clusterPolicyFormat.compile(document, { resources: apiResources([]) });
  if (!compiled.ok) throw new Error("the policy does not compile");
  const results: (RuleResult & { rule: string })[] = [];
  let current: KubernetesObject | undefined = objectOf(object);
  const oldObject = options.oldObject === undefined ? undefined : objectOf(options.oldObject);
  for (const rule of compiled.value.rules) {
    const context: RuleContext = contextOf(current, oldObject, options);
    for (const result of rule.evaluate(context)) {
      results.push({ rule: rule.name, ...result });
      current = result.object ?? current;
    }
  }
  return { diagnostics: compiled.diagnostics, results, object: current };
}

/** One action about an object. */
export function contextOf(subject: KubernetesObject, before: KubernetesObject | undefined, options: RunOptions): RuleContext {
  const deleting = options.operation === "DELETE";
  const object = deleting ? undefined : subject;
  const oldObject = deleting ? subject : before;
  return {
    action: {
      channel: options.channel ?? "scan",
      actor: undefined,
      operation: options.operation ?? "CREATE",
      dryRun: false,
      target: {
        type: "kubernetes",
        ...gvkOf(subject),
        resource: "",
        subresource: options.subresource ?? "",
        namespace: namespaceOf(subject),
        name: nameOf(subject),
      },
      object,
      oldObject,
      namespaceLabels: {},
      at: 0,
    },
    object,
    oldObject,
    settled: options.settled,
    facts: options.facts ?? noFacts("no facts in this test"),
    host: { now: () => 0, random: () => 0 },
    budget: new Budget(10_000),
    resources: apiResources([]),
  };
}
