import type { Binding, Role } from "../objects.ts";
import type { PolicyRule } from "../policy-rule.ts";

/**
 * Something that can be taken over. `account`: whoever acts under a user name; `group`: a member of a group; `run`: pods of
 * the attacker's making in a namespace; `enter`: the pods that run there; `accounts`: its service accounts; `own`: every right there; `nodes`: any node of the attacker's choice.
 */
export type Place =
  | { readonly kind: "account"; readonly user: string }
  | { readonly kind: "group"; readonly group: string }
  | { readonly kind: NamespacePlace; readonly namespace: string }
  | { readonly kind: "everywhere"; readonly what: NamespacePlace }
  | { readonly kind: TargetPlace };

export const namespacePlaces = ["run", "enter", "accounts", "own"] as const;
export type NamespacePlace = (typeof namespacePlaces)[number];

type TargetPlace = "nodes" | "node" | "secrets" | "cluster-admin";

export type PlaceKey = string;

export function placeKey(place: Place): PlaceKey {
  switch (place.kind) {
    case "account":
      return `account:${place.user}`;
    case "group":
      return `group:${place.group}`;
    case "everywhere":
      return `${place.what}:*`;
    case "run":
    case "enter":
    case "accounts":
    case "own":
      return `${place.kind}:${place.namespace}`;
    default:
      return place.kind;
  }
}

/** A rule that somebody holds, and by which binding. */
export interface HeldRule {
  readonly rule: PolicyRule;
  readonly role: Role;
  readonly binding: Binding;
}

/** One step: whoever has `from` can have `to`. */
export interface Step {
  readonly from: Place;
  readonly to: Place;
  /** Stable name of the technique, such as `token-request`. */
  readonly technique: string;
  readonly says: string;
  /** The rules that allow it; empty where the step follows from the objects alone. */
  readonly grants: readonly HeldRule[];
}

/** Steps by where they start and where they end. */
export class EscalationGraph {
  readonly #places = new Map<PlaceKey, Place>();
  readonly #out = new Map<PlaceKey, Step[]>();
  readonly #in = new Map<PlaceKey, Step[]>();

  add(step: Step): void {
    const [from, to] = [placeKey(step.from), placeKey(step.to)];
    this.#places.set(from, step.from);
    this.#places.set(to, step.to);
    listAt(this.#out, from).push(step);
    listAt(this.#in, to).push(step);
  }

  from(key: PlaceKey): readonly Step[] {
    return this.#out.get(key) ?? [];
  }

  to(key: PlaceKey): readonly Step[] {
    return this.#in.get(key) ?? [];
  }

  places(): Iterable<readonly [PlaceKey, Place]> {
    return this.#places;
  }
}

function listAt(map: Map<PlaceKey, Step[]>, key: PlaceKey): Step[] {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made: Step[] = [];
  map.set(key, made);
  return made;
}
