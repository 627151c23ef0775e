import { asString, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { gvkOf, type KubernetesObject, namespaceOf } from "../../../core/kubernetes.ts";
import type { RuleSource } from "../rule-types.ts";

const prefix = "generate.kyverno.io";

const uidOf = (object: KubernetesObject): string => asString(member(object.metadata, "uid")) ?? "";

/**
 * The labels by which Kyverno finds what it generated; the same here, so that either can take over from the other.
 * `source` is the object that was cloned.
 */
export function generatedLabels(rule: RuleSource, trigger: KubernetesObject): { readonly [key: string]: string } {
  const { group, version, kind } = gvkOf(trigger);
  return {
    "app.kubernetes.io/managed-by": "kyverno",
    [`${prefix}/policy-name`]: rule.policy.name,
    [`${prefix}/policy-namespace`]: rule.policy.namespace,
    [`${prefix}/rule-name`]: rule.name,
    [`${prefix}/trigger-version`]: version,
    [`${prefix}/trigger-group`]: group,
    [`${prefix}/trigger-kind`]: kind,
    [`${prefix}/trigger-namespace`]: namespaceOf(trigger),
    [`${prefix}/trigger-uid`]: uidOf(trigger),
  };
}

/** The labels of a clone that say what it is a clone of. */
export function sourceLabels(source: KubernetesObject): { readonly [key: string]: string } {
  const { group, version, kind } = gvkOf(source);
  return {
    [`${prefix}/clone-source`]: "",
    [`${prefix}/source-group`]: group,
    [`${prefix}/source-version`]: version,
    [`${prefix}/source-kind`]: kind,
    [`${prefix}/source-namespace`]: namespaceOf(source),
    [`${prefix}/source-uid`]: uidOf(source),
  };
}

/** An object's content with these labels added. Where one of its own is no text, Kyverno reads none of them, and they go. */
export function withLabels(content: JsonObject, labels: { readonly [key: string]: string }): JsonObject {
  const metadata = asObject(member(content, "metadata"));
  const known = asObject(metadata["labels"]);
  const readable = Object.values(known).every((value) => typeof value === "string") ? known : {};
  return { ...content, metadata: { ...metadata, labels: { ...readable, ...labels } } };
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}
