import type { Severity } from "../../core/finding.ts";
import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { KubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";

/** Something about a policy that its author would want to know. */
export interface PolicyIssue {
  /** Names the check: `deprecated-operator`. */
  readonly rule: string;
  readonly severity: Severity;
  readonly path: JsonPath;
  readonly message: string;
  /** What to write instead. */
  readonly fix?: string;
}

/** One rule of a Kyverno policy as written. */
export interface RuleView {
  readonly name: string;
  readonly rule: JsonObject;
  readonly path: JsonPath;
}

/** A Kyverno policy as written, and what is known about the API it speaks of. */
export interface PolicyView {
  readonly document: SourceDocument<KubernetesObject>;
  readonly spec: JsonObject;
  readonly rules: readonly RuleView[];
  readonly schemas: KubernetesSchemas;
}

export type PolicyCheck = (policy: PolicyView) => readonly PolicyIssue[];

export function policyView(document: SourceDocument<KubernetesObject>, schemas: KubernetesSchemas): PolicyView {
  const spec = isObject(document.value["spec"]) ? document.value["spec"] : {};
  const rules = entries(spec["rules"], ["spec", "rules"]).flatMap(([rule, path]) =>
    isObject(rule) ? [{ name: asString(rule["name"]) ?? "", rule, path }] : [],
  );
  return { document, spec, rules, schemas };
}

/** The items of a list with their paths; none for anything else. */
export function entries(value: JsonValue | undefined, path: JsonPath): readonly (readonly [JsonValue, JsonPath])[] {
  return isArray(value) ? value.map((item, i) => [item, [...path, i]] as const) : [];
}

/** The filters of a match or exclude block with their paths; a bare `resources` is one. */
export function filters(block: JsonValue | undefined, path: JsonPath): readonly (readonly [JsonValue, JsonPath])[] {
  const listed = [...entries(member(block, "any"), [...path, "any"]), ...entries(member(block, "all"), [...path, "all"])];
  return block === undefined || listed.length > 0 ? listed : [[block, path]];
}

/** A policy that never comes into force. */
export function refused(path: JsonPath, message: string, fix: string): PolicyIssue {
  return { rule: "refused", severity: "high", path, message: `Kyverno refuses the policy: ${message}`, fix };
}
