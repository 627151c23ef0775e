import { isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";
import { gvkOf, type KubernetesObject, labelsOf, namespaceOf, uidOf } from "../../../core/kubernetes.ts";

const prefix = "generate.kyverno.io";

/** What is labelled so was generated. */
export const policyNameLabel = `${prefix}/policy-name`;

/**
 * The labels by which Kyverno finds what it generated; the same here, so that either can take over from the other.
 * `source` is the object that was cloned.
 */
export function generatedLabels(
  policy: { readonly name: string; readonly namespace: string },
  rule: string,
  trigger: KubernetesObject,
): { readonly [key: string]: string } {
  const { group, version, kind } = gvkOf(trigger);
  return {
    "app.kubernetes.io/managed-by": "kyverno",
    [policyNameLabel]: policy.name,
    [`${prefix}/policy-namespace`]: policy.namespace,
    [`${prefix}/rule-name`]: rule,
    [`${prefix}/trigger-version`]: version,
    [`${prefix}/trigger-group`]: group,
    [`${prefix}/trigger-kind`]: kind,
    [`${prefix}/trigger-namespace`]: namespaceOf(trigger),
    [`${prefix}/trigger-uid`]: uidOf(trigger),
  };
}

/** Whose value is a name of the object itself: controllers copy labels to what they make, and a copy names another object. */
export const generatedAsLabel = "castellan.dev/generated-as";

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

/** What the labels of an object say of its origin; undefined where it was not generated. */
export interface Origin {
  readonly policy: string;
  readonly policyNamespace: string;
  readonly rule: string;
  readonly triggerUid: string;
  /** Of the object that it is a clone of. */
  readonly sourceUid: string | undefined;
  readonly generatedAs: string | undefined;
}

export function originOf(object: KubernetesObject): Origin | undefined {
  const labels = labelsOf(object);
  const policy = labels[policyNameLabel];
  if (policy === undefined) return undefined;
  return {
    policy,
    policyNamespace: labels[`${prefix}/policy-namespace`] ?? "",
    rule: labels[`${prefix}/rule-name`] ?? "",
    triggerUid: labels[`${prefix}/trigger-uid`] ?? "",
    sourceUid: labels[`${prefix}/source-uid`],
    generatedAs: labels[generatedAsLabel],
  };
}

/** The labels that name the trigger; of several triggers that want one object, one is named. */
export const isTriggerLabel = (key: string): boolean => key.startsWith(`${prefix}/trigger-`);
