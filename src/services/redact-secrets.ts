import type { Finding } from "../core/finding.ts";
import { isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";

/** What stands where a secret was. */
export const redacted = "<redacted>";

/** Shorter values would blot out ordinary words. */
const shortest = 4;

/** A finding about a Secret without the Secret's values, plain or base64, wherever a policy quoted them. */
export function redactSecrets(finding: Finding, object: KubernetesObject): Finding {
  if (object.kind !== "Secret" || object.apiVersion !== "v1") return finding;
  const values = secretValues(object);
  if (values.length === 0) return finding;
  const clean = (text: string) => values.reduce((t, value) => t.replaceAll(value, redacted), text);
  const { evidence, fix, ...rest } = finding;
  return {
    ...rest,
    message: clean(finding.message),
    ...(evidence === undefined ? {} : { evidence: cleanMembers(evidence, clean) }),
    ...(fix === undefined ? {} : { fix: { description: clean(fix.description) } }),
  };
}

function secretValues(secret: KubernetesObject): readonly string[] {
  const found = new Set<string>();
  for (const value of strings(secret["data"])) {
    found.add(value);
    found.add(Buffer.from(value, "base64").toString("utf8"));
  }
  for (const value of strings(secret["stringData"])) {
    found.add(value);
    found.add(Buffer.from(value, "utf8").toString("base64"));
  }
  for (const text of strings({
    a: member(member(secret.metadata, "annotations"), "kubectl.kubernetes.io/last-applied-configuration"),
  })) {
    found.add(text);
  }
  // Longest first, so that no part of a value is left beside the mark.
  return [...found].filter((v) => v.length >= shortest).sort((a, b) => b.length - a.length);
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isObject(value) ? Object.values(value).filter((v) => typeof v === "string") : [];
}

function cleanMembers<T extends JsonValue>(value: T, clean: (text: string) => string): T {
  return JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "string" ? clean(v) : typeof v === "bigint" ? String(v) : v)));
}

/** What may be told of an object that holds secrets: what it is, where it is, and which keys it has. */
export function secretOutline(value: JsonObject): JsonObject {
  const metadata = value["metadata"];
  const keys = (map: JsonValue | undefined) =>
    isObject(map) ? Object.fromEntries(Object.keys(map).map((key) => [key, redacted])) : undefined;
  return {
    apiVersion: value["apiVersion"],
    kind: value["kind"],
    ...(isObject(metadata)
      ? { metadata: { name: metadata["name"], namespace: metadata["namespace"], labels: metadata["labels"] } }
      : {}),
    type: value["type"],
    data: keys(value["data"]),
    stringData: keys(value["stringData"]),
  };
}
