import type { JsonObject, JsonPath, JsonValue } from "./json.ts";
import type { KubernetesObject, ResourceRef } from "./kubernetes.ts";
import type { Span } from "./source.ts";
import type { TextEdit } from "./text-edit.ts";

export const ruleStatuses = ["pass", "fail", "warn", "error", "skip"] as const;
export type RuleStatus = (typeof ruleStatuses)[number];

export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** Which check speaks: `policy` and `rule` as their author named them. */
export interface CheckRef {
  /** `kyverno/ClusterPolicy/disallow-latest-tag`, `pod-security/restricted`, `lint/quota-key`. */
  readonly policy: string;
  readonly rule: string;
  readonly title?: string;
  readonly category?: string;
  /** Where to read more. */
  readonly url?: string;
}

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: JsonValue }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string };

/** RFC 6902. */
export type JsonPatch = readonly JsonPatchOperation[];

/** How to put a finding right: words always, and a patch or a new object where one can be given. */
export interface Fix {
  readonly description: string;
  readonly patch?: JsonPatch;
  /** The patch in the text that the object came from, where it can be made there. */
  readonly edits?: readonly TextEdit[];
  readonly object?: KubernetesObject;
}

/** What every check produces. */
export interface Finding {
  /** Stable fingerprint: check + resource + path, not line numbers. */
  readonly id: string;
  readonly check: CheckRef;
  readonly status: RuleStatus;
  readonly severity: Severity;
  readonly resource: ResourceRef;
  readonly path?: JsonPath;
  readonly location?: Span;
  readonly message: string;
  readonly evidence?: JsonObject;
  readonly fix?: Fix;
  /** Control identifiers, `framework:control`. */
  readonly controls: readonly string[];
}

export type StatusCounts = { readonly [status in RuleStatus]: number };

export function severityAtLeast(severity: Severity, floor: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(floor);
}
