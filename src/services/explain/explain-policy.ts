import { groupOf, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { celVerb, explainCelPolicy } from "./cel-policy.ts";
import type { PolicyExplanation } from "./explanation.ts";
import { explainKyvernoPolicy } from "./kyverno-policy.ts";

/** A policy in words; undefined for kinds that nobody has taught us to explain. */
export function explainPolicy(document: SourceDocument<KubernetesObject>): PolicyExplanation | undefined {
  const { kind } = document.value;
  const isKyverno = groupOf(document.value) === "kyverno.io" && (kind === "ClusterPolicy" || kind === "Policy");
  if (isKyverno) return explainKyvernoPolicy(document);
  const verb = celVerb(document.value);
  return verb === undefined ? undefined : explainCelPolicy(document, verb);
}
