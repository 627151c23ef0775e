import { isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { strings } from "../rbac/policy-rule.ts";

export type Direction = "Ingress" | "Egress";

export interface NetworkRule {
  readonly direction: Direction;
  readonly path: JsonPath;
  readonly value: JsonObject;
  /** `from` or `to`; undefined where the rule has none. */
  readonly peers: JsonValue | undefined;
  readonly peersKey: "from" | "to";
  readonly ports: JsonValue | undefined;
}

export const ruleKeys = { Ingress: "ingress", Egress: "egress" } as const;

/** The rules of one direction; items that are no objects are left out. */
export function networkRules(policy: KubernetesObject, direction: Direction): readonly NetworkRule[] {
  const key = ruleKeys[direction];
  const rules = member(policy["spec"], key);
  if (!isArray(rules)) return [];
  const peersKey = direction === "Ingress" ? "from" : "to";
  return rules.flatMap((value, index) =>
    isObject(value)
      ? {
          direction,
          path: ["spec", key, index],
          value,
          peers: value[peersKey] ?? undefined,
          peersKey,
          ports: value["ports"] ?? undefined,
        }
      : [],
  );
}

/** The directions that a policy restricts, as the API server fills them in. */
function effectiveTypes(policy: KubernetesObject): readonly string[] {
  const written = strings(member(policy["spec"], "policyTypes"));
  if (written.length > 0) return written;
  const egress = member(policy["spec"], "egress");
  return isArray(egress) && egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

/** Whether a label selector selects everything: it is empty, or absent. */
export function selectsAll(selector: JsonValue | undefined): boolean {
  if (selector === undefined || selector === null) return true;
  if (!isObject(selector)) return false;
  const labels = selector["matchLabels"];
  const expressions = selector["matchExpressions"];
  return (!isObject(labels) || Object.keys(labels).length === 0) && (!isArray(expressions) || expressions.length === 0);
}

/** Whether a policy denies every pod of its namespace all traffic of a direction that no other policy allows. */
export function isDefaultDeny(policy: KubernetesObject, direction: Direction): boolean {
  if (!selectsAll(member(policy["spec"], "podSelector")) || !effectiveTypes(policy).includes(direction)) return false;
  const rules = member(policy["spec"], ruleKeys[direction]);
  return !isArray(rules) || rules.length === 0;
}
