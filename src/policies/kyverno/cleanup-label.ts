import { unitMilliseconds } from "../../core/duration.ts";
import type { Instant } from "../../core/host.ts";
import { asString, member } from "../../core/json.ts";
import { annotationsOf, createdOf, type KubernetesObject } from "../../core/kubernetes.ts";

export const ttlLabel = "cleanup.kyverno.io/ttl";
const propagationAnnotation = "cleanup.kyverno.io/propagation-policy";

const span = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const term = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;
const date = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(\d{2})(\d{2})Z)?$/;

/**
 * When an object is to go by its label `cleanup.kyverno.io/ttl`: so long after it was created (`90s`, `1h30m`, `2d`), or at a
 * time (`2026-12-24`, `2026-12-24T180000Z`, UTC). Undefined where it has no such label, or one that says neither.
 */
export function expiryOf(object: KubernetesObject): Instant | undefined {
  const text = asString(member(member(object.metadata, "labels"), ttlLabel));
  if (text === undefined) return undefined;
  if (span.test(text)) {
    const created = createdOf(object);
    const terms = [...text.matchAll(term)].map(([, count = "", unit = ""]) => Number(count) * (unitMilliseconds[unit] ?? 0));
    return Number.isNaN(created) ? undefined : terms.reduce((sum, one) => sum + one, created);
  }
  const [, day, hours = "00", minutes = "00", seconds = "00"] = date.exec(text) ?? [];
  const at = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
  // The 30th of February is no day, and not the 2nd of March.
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(`${day}`) ? undefined : at;
}

/** What becomes of the objects that belong to it; undefined where its annotation does not say. */
export function cleanupPropagation(object: KubernetesObject): "Foreground" | "Background" | "Orphan" | undefined {
  const wanted = annotationsOf(object)[propagationAnnotation];
  return wanted === "Foreground" || wanted === "Background" || wanted === "Orphan" ? wanted : undefined;
}
