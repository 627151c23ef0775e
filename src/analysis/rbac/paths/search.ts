import { describeObject } from "../describe.ts";
import type { Binding } from "../objects.ts";
import { type EscalationGraph, namespacePlaces, type Place, type PlaceKey, placeKey, type Step } from "./graph.ts";

export interface EscalationPath {
  readonly from: Place;
  readonly to: Place;
  readonly steps: readonly Step[];
}

/** Removing `binding` leaves `breaks` of the identities without any path to the target. */
export interface Cut {
  readonly binding: Binding;
  readonly breaks: number;
}

/** A step that ends where somebody can stay counts as a hop; those between only say by what. */
function isHop({ to }: Step): boolean {
  return to.kind !== "everywhere" && to.kind !== "nodes" && !namespacePlaces.some((kind) => kind === to.kind);
}

/** The next step towards the target from every place that reaches it: breadth first from the target, free steps at once. */
function nextSteps(graph: EscalationGraph, target: PlaceKey, without?: Binding): ReadonlyMap<PlaceKey, Step> {
  const next = new Map<PlaceKey, Step>();
  const done = new Set<PlaceKey>();
  let frontier: PlaceKey[] = [target];
  while (frontier.length > 0) {
    const later: PlaceKey[] = [];
    // The frontier grows while it is walked, by free steps.
    for (const key of frontier) {
      if (done.has(key)) continue;
      done.add(key);
      for (const step of graph.to(key)) {
        const from = placeKey(step.from);
        if (done.has(from) || (without !== undefined && step.grants.some((g) => g.binding === without))) continue;
        const hop = isHop(step);
        const known = next.get(from);
        if (known !== undefined && (hop || !isHop(known))) continue;
        next.set(from, step);
        (hop ? later : frontier).push(from);
      }
    }
    frontier = later;
  }
  return next;
}

/** The steps of a path by hop: each ends where somebody can stay. */
export function hopsOf({ steps }: EscalationPath): readonly (readonly Step[])[] {
  const hops: Step[][] = [[]];
  for (const [i, step] of steps.entries()) {
    hops.at(-1)?.push(step);
    if (isHop(step) && i < steps.length - 1) hops.push([]);
  }
  return hops;
}

/** A shortest path to the target from each of the places that has one, shortest first. */
export function shortestPaths(graph: EscalationGraph, starts: readonly Place[], target: Place): readonly EscalationPath[] {
  const end = placeKey(target);
  const next = nextSteps(graph, end);
  const paths = starts.flatMap((from) => {
    const steps: Step[] = [];
    for (let at = placeKey(from); at !== end; ) {
      const step = next.get(at);
      if (step === undefined) return [];
      steps.push(step);
      at = placeKey(step.to);
    }
    return steps.length === 0 ? [] : [{ from, to: target, steps }];
  });
  return paths.sort((a, b) => hopsOf(a).length - hopsOf(b).length || (placeKey(a.from) < placeKey(b.from) ? -1 : 1));
}

/** Bindings that are tried: those on most of the shortest paths. */
const candidates = 20;
const shownCuts = 5;

/** The bindings whose removal breaks most paths, counted by searching again without each of them. */
export function cheapestCuts(
  graph: EscalationGraph,
  paths: readonly EscalationPath[],
  target: Place,
  mayCut: (binding: Binding) => boolean,
): readonly Cut[] {
  const uses = new Map<Binding, number>();
  for (const { steps } of paths) {
    for (const binding of new Set(steps.flatMap((s) => s.grants.map((g) => g.binding))))
      uses.set(binding, (uses.get(binding) ?? 0) + 1);
  }
  const most = [...uses]
    .filter(([binding]) => mayCut(binding))
    .sort((a, b) => b[1] - a[1])
    .slice(0, candidates);
  const cuts = most.map(([binding]) => {
    const next = nextSteps(graph, placeKey(target), binding);
    return { binding, breaks: paths.filter((p) => !next.has(placeKey(p.from))).length };
  });
  return cuts
    .filter((cut) => cut.breaks > 0)
    .sort((a, b) => b.breaks - a.breaks || (describeObject(a.binding) < describeObject(b.binding) ? -1 : 1))
    .slice(0, shownCuts);
}
