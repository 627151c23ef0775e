import { type Severity, severities } from "../core/finding.ts";
import { annotationsOf, type KubernetesObject } from "../core/kubernetes.ts";
import type { CompiledPolicy } from "./policy.ts";

const annotation = {
  title: "policies.kyverno.io/title",
  category: "policies.kyverno.io/category",
  severity: "policies.kyverno.io/severity",
  controls: "castellan.dev/controls",
  remedy: "castellan.dev/remedy",
} as const;

/** Kyverno's own default for policies that name no severity. */
const defaultSeverity: Severity = "medium";

function parseSeverity(text: string | undefined): Severity {
  return severities.find((s) => s === text?.toLowerCase()) ?? defaultSeverity;
}

type PolicyLabels = Pick<CompiledPolicy, "title" | "category" | "severity" | "controls" | "remedy">;

/** `CIS:5.1.5, NSA:Pod security` */
function parseControls(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").flatMap((control) => control.trim() || []);
}

/** What the annotations of a Kyverno policy say about it. */
export function policyLabels(object: KubernetesObject): PolicyLabels {
  const annotations = annotationsOf(object);
  return {
    title: annotations[annotation.title] ?? "",
    category: annotations[annotation.category] ?? "",
    severity: parseSeverity(annotations[annotation.severity]),
    controls: parseControls(annotations[annotation.controls]),
    remedy: annotations[annotation.remedy],
  };
}
