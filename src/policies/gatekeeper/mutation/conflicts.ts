import type { MutationPath, PathStep } from "./path.ts";

/** What a mutator takes the end of its location for. */
export type Terminal = "unknown" | "set" | "string";

type NodeType = PathStep["kind"] | Terminal;

/** A mutator as it bears on the shape of objects. */
export interface Claim {
  readonly id: string;
  /** Kinds and operations. */
  readonly bindings: readonly string[];
  readonly path: MutationPath;
  readonly terminal: Terminal;
  /** Nothing may be below the end of its location. */
  readonly mustEnd: boolean;
}

/** What mutators say together of one place in an object. */
class ShapeNode {
  readonly ids = new Set<string>();
  readonly ending = new Set<string>();
  readonly children = new Map<string, Map<NodeType, ShapeNode>>();

  add({ id, path, terminal, mustEnd }: Claim, depth: number): void {
    this.ids.add(id);
    const step = path[depth];
    if (step === undefined) {
      if (mustEnd) this.ending.add(id);
      return;
    }
    const name = keyOf(step);
    const types = this.children.get(name) ?? new Map<NodeType, ShapeNode>();
    this.children.set(name, types);
    const type = path[depth + 1]?.kind ?? terminal;
    const child = types.get(type) ?? new ShapeNode();
    types.set(type, child);
    child.add({ id, bindings: [], path, terminal, mustEnd }, depth + 1);
  }

  /** The mutators that contradict each other here or below. */
  conflicts(into: Set<string>): void {
    for (const types of this.children.values()) {
      const told = [...types].filter(([type]) => type !== "unknown");
      for (const [type, child] of told) {
        if (told.length > 1 || (type === "list" && child.children.size > 1)) for (const id of child.ids) into.add(id);
      }
      const nodes = [...types.values()];
      const ending = nodes.flatMap((node) => [...node.ending]);
      const below = nodes.flatMap((node) => [...node.children.values()].flatMap((inner) => [...inner.values()]));
      if (ending.length > 0 && below.length > 0) {
        for (const id of ending) into.add(id);
        for (const node of below) for (const id of node.ids) into.add(id);
      }
      for (const node of nodes) node.conflicts(into);
    }
  }
}

const keyOf = (step: PathStep): string => (step.kind === "object" ? step.name : step.key);

/** The ids of mutators that take the same place of the same kind for different things. */
export function conflictsAmong(claims: readonly Claim[]): ReadonlySet<string> {
  const roots = new Map<string, ShapeNode>();
  for (const claim of claims) {
    for (const binding of claim.bindings) {
      const root = roots.get(binding) ?? new ShapeNode();
      roots.set(binding, root);
      root.add(claim, 0);
    }
  }
  const conflicting = new Set<string>();
  for (const root of roots.values()) root.conflicts(conflicting);
  return conflicting;
}
