import { hash } from "node:crypto";
import { formatRef, type KubernetesObject, resourceRef } from "../../core/kubernetes.ts";
import { type Origin, originOf } from "../../policies/kyverno/generate/generated-labels.ts";

/** An object that was generated, and what its labels say of that. */
export interface Made {
  readonly ref: string;
  readonly object: KubernetesObject;
  readonly origin: Origin;
}

export const refOf = (object: KubernetesObject): string => formatRef(resourceRef(object));

/** A value of a label that names this object, and no other. */
export const markOf = (object: KubernetesObject): string => hash("sha256", refOf(object)).slice(0, 40);

/** What was generated in a cluster, found by the objects that it was made for, and made of. */
export class MadeObjects {
  readonly #made = new Map<string, Made>();
  readonly #byUid = new Map<string, Map<string, Made>>();

  /** Takes an object as it is now; one that says of itself no longer that it was generated is forgotten. */
  set(object: KubernetesObject): void {
    this.delete(object);
    const origin = originOf(object);
    if (origin === undefined) return;
    const made = { ref: refOf(object), object, origin };
    this.#made.set(made.ref, made);
    for (const uid of uidsOf(origin)) {
      const known = this.#byUid.get(uid) ?? new Map<string, Made>();
      this.#byUid.set(uid, known.set(made.ref, made));
    }
  }

  delete(object: KubernetesObject): void {
    const made = this.#made.get(refOf(object));
    if (made === undefined) return;
    this.#made.delete(made.ref);
    for (const uid of uidsOf(made.origin)) {
      const known = this.#byUid.get(uid);
      known?.delete(made.ref);
      if (known?.size === 0) this.#byUid.delete(uid);
    }
  }

  all(): readonly Made[] {
    return [...this.#made.values()];
  }

  /** What was made for the object with this UID, or of it. */
  of(uid: string): readonly Made[] {
    return [...(this.#byUid.get(uid)?.values() ?? [])];
  }
}

function uidsOf({ triggerUid, sourceUid }: Origin): ReadonlySet<string> {
  return new Set([triggerUid, sourceUid ?? ""].filter((uid) => uid !== ""));
}
