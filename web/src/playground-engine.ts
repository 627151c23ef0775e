import catalog from "../../catalog/kubernetes/v1.36.json?raw";
import type { Action } from "../../src/core/action.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import { noFacts } from "../../src/core/facts.ts";
import type { Finding } from "../../src/core/finding.ts";
import {
  formatRef,
  gvkOf,
  isKubernetesObject,
  type KubernetesObject,
  labelsOf,
  nameOf,
  namespaceOf,
  resourceRef,
} from "../../src/core/kubernetes.ts";
import { kubernetesSchemas } from "../../src/core/schema.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { evaluate, policyName, toFinding } from "../../src/engine/index.ts";
import { compilePolicies } from "../../src/services/policies.ts";

const schemas = kubernetesSchemas(JSON.parse(catalog));
const host = { now: Date.now, random: Math.random };
const facts = noFacts("the playground asks nobody: look-ups are not answered here");

/** One rule's word on one object. */
export interface Verdict {
  readonly object: string;
  readonly policy: string;
  readonly rule: string;
  readonly status: Finding["status"];
  readonly message: string;
  /** Of the object's text; undefined where no line is to blame. */
  readonly line: number | undefined;
  /** The object as the rule changed it. */
  readonly changed: KubernetesObject | undefined;
}

export interface PlaygroundResult {
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly string[];
}

/** Runs policies on objects, both YAML, with the engine of the command line and of admission. */
export function play(policies: string, objects: string): PlaygroundResult {
  const given = parseDocuments(policies, "policies");
  const targets = parseDocuments(objects, "objects");
  const values = targets.documents.map((document) => document.value).filter(isKubernetesObject);
  const resources = schemas.withCustomResources(values).resources();
  const { set, diagnostics } = compilePolicies(given.documents, resources);
  const labels = new Map(values.filter((value) => value.kind === "Namespace").map((value) => [nameOf(value), labelsOf(value)]));
  const verdicts = targets.documents.flatMap((document) => {
    const { value } = document;
    if (!isKubernetesObject(value)) return [];
    const evaluation = evaluate(set, actionOn(value, labels.get(namespaceOf(value)), resources), facts, host, {
      resources,
      passes: true,
    });
    if (evaluation.kind === "pending") return [];
    return evaluation.decision.results.map((told): Verdict => {
      const finding = toFinding(told, value, document as SourceDocument<KubernetesObject>);
      return {
        object: formatRef(resourceRef(value)),
        policy: policyName(told.policy.id),
        rule: told.rule.name,
        status: finding.status,
        message: finding.message,
        line: finding.path === undefined ? undefined : finding.location?.start.line,
        changed: told.result.object,
      };
    });
  });
  return { verdicts, problems: [...given.diagnostics, ...targets.diagnostics, ...diagnostics].map(textOf) };
}

function actionOn(
  object: KubernetesObject,
  namespaceLabels: Action["namespaceLabels"],
  resources: ReturnType<typeof schemas.resources>,
): Action {
  const gvk = gvkOf(object);
  const resource = resources.byKind(gvk.group, gvk.kind);
  const namespace = namespaceOf(object) || (resource?.namespaced === true ? "default" : "");
  return {
    channel: "scan",
    actor: undefined,
    operation: "CREATE",
    dryRun: false,
    target: { type: "kubernetes", ...gvk, resource: resource?.resource ?? "", subresource: "", namespace, name: nameOf(object) },
    object,
    namespaceLabels,
    at: host.now(),
  };
}

function textOf({ message, span }: Diagnostic): string {
  return span === undefined ? message : `${span.file}, line ${span.start.line}: ${message}`;
}
