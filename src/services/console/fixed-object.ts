import type { Finding } from "../../core/finding.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { applyJsonPatch } from "../../core/json-patch.ts";
import { type KubernetesObject, resourceRef } from "../../core/kubernetes.ts";

/** What somebody would have after a fix. */
export interface FixedObject {
  readonly after: JsonObject;
  /** It is another object than the one that the finding is about. */
  readonly isNew: boolean;
}

/** Undefined where the fix is words alone, or a patch that does not apply to `object` (any more). */
export function fixedObject({ fix, resource }: Finding, object: KubernetesObject | undefined): FixedObject | undefined {
  if (fix?.object !== undefined) {
    const { group, kind, namespace, name } = resourceRef(fix.object);
    const isSame = group === resource.group && kind === resource.kind && namespace === resource.namespace;
    return { after: fix.object, isNew: object === undefined || !isSame || name !== resource.name };
  }
  if (fix?.patch === undefined || object === undefined) return undefined;
  const patched = applyJsonPatch(object, fix.patch);
  return patched.ok && isObject(patched.value) ? { after: patched.value, isNew: false } : undefined;
}
