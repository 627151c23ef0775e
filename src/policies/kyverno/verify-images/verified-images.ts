import { isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { annotationsOf, type KubernetesObject } from "../../../core/kubernetes.ts";
import type { RuleSource } from "../rule-types.ts";

/** What verification said about an image, as Kyverno notes it in the object's annotations. */
export type ImageStatus = "pass" | "fail" | "skip";

const plainAnnotation = "kyverno.io/verify-images";
/** By policy and rule, so that one policy's word does not count for another's. */
const scopedAnnotation = "kyverno.io/verify-images-scoped";

function parse(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  try {
    const value: JsonValue = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const child = (value: JsonValue | undefined, key: string): JsonObject => {
  const found = member(value, key);
  return isObject(found) ? found : {};
};

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const policyKey = (rule: RuleSource): string => `${rule.policy.namespace}/${rule.policy.name}`;

/** The object with the statuses that a rule found for its images noted. */
export function noteImages(
  object: KubernetesObject,
  rule: RuleSource,
  statuses: ReadonlyMap<string, ImageStatus>,
): KubernetesObject {
  if (statuses.size === 0) return object;
  const annotations = annotationsOf(object);
  const found = Object.fromEntries(statuses);
  const key = policyKey(rule);
  const policies = child(parse(annotations[scopedAnnotation]), "policies");
  const rules = child(policies, key);
  const images = sorted({ ...child(rules, rule.name), ...found });
  const scoped = { version: 1, policies: sorted({ ...policies, [key]: sorted({ ...rules, [rule.name]: images }) }) };
  const noted = {
    [plainAnnotation]: JSON.stringify(sorted({ ...parse(annotations[plainAnnotation]), ...found })),
    [scopedAnnotation]: JSON.stringify(scoped),
  };
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, ...noted } } };
}

/** What the annotations say that a rule found for an image; `fail` where they say nothing. */
export function notedStatus(object: KubernetesObject | undefined, rule: RuleSource, image: string): ImageStatus {
  if (object === undefined) return "fail";
  const policies = child(parse(annotationsOf(object)[scopedAnnotation]), "policies");
  const status = member(child(child(policies, policyKey(rule)), rule.name), image);
  return status === "pass" || status === "skip" ? status : "fail";
}
