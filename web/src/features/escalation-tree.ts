import type { Answer } from "../api.ts";

export type EscalationPath = Answer<"/api/v1/rbac/paths">["items"][number];

/** Somewhere that can be reached: an identity, a node, the target. */
export interface PlaceNode {
  readonly name: string;
  /** Somebody whose way begins here. */
  readonly isStart: boolean;
  /** By what it is reached. */
  readonly steps: readonly StepNode[];
}

export interface StepNode {
  readonly says: string;
  /** Who takes this step. */
  readonly from: readonly PlaceNode[];
}

/** One cluster's ways, joined where they meet: from every place one shortest way leads on, so they are a tree. */
export interface EscalationTree {
  readonly cluster: string;
  readonly target: PlaceNode;
}

interface Growing {
  readonly name: string;
  isStart: boolean;
  readonly steps: Map<string, Map<string, Growing>>;
}

const grown = (name: string): Growing => ({ name, isStart: false, steps: new Map() });

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** A tree for each cluster and target, in the order in which the ways name them. */
export function escalationTrees(paths: readonly EscalationPath[]): readonly EscalationTree[] {
  const roots = new Map<string, { readonly cluster: string; readonly target: Growing }>();
  for (const { cluster, from, hops } of paths) {
    const target = hops.at(-1)?.to;
    if (target === undefined) continue;
    let place = at(roots, `${cluster} ${target}`, () => ({ cluster, target: grown(target) })).target;
    for (const [i, { says }] of [...hops.entries()].reverse()) {
      const before = hops[i - 1]?.to ?? from;
      const takers = at(place.steps, says, () => new Map<string, Growing>());
      place = at(takers, before, () => grown(before));
    }
    place.isStart = true;
  }
  return [...roots.values()].map(({ cluster, target }) => ({ cluster, target: placeNode(target) }));
}

function placeNode({ name, isStart, steps }: Growing): PlaceNode {
  return { name, isStart, steps: [...steps].map(([says, from]) => ({ says, from: [...from.values()].map(placeNode) })) };
}
