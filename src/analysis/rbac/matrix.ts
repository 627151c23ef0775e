import { type CapabilityId, capabilityIds } from "./capabilities.ts";
import { isHeldBy, proofOf } from "./capability-proof.ts";
import { describeSubject } from "./describe.ts";
import type { Binding } from "./objects.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { subjectKey } from "./rbac-index.ts";
import type { RbacWorld } from "./world.ts";

/** What one subject of bindings can do, by capability: `*` for the whole cluster, else the namespaces. */
export interface MatrixRow {
  readonly subject: string;
  readonly cells: { readonly [capability in CapabilityId]?: readonly string[] };
}

/** The rules that a subject holds by bindings that name it, by namespace; `""`: in the whole cluster. */
interface Held {
  readonly subject: string;
  readonly rules: Map<string, PolicyRule[]>;
}

/** Subjects of bindings with at least one sensitive right; those that only Kubernetes' own bindings name on request. */
export function matrix(world: RbacWorld, includeSystem: boolean): readonly MatrixRow[] {
  const held = new Map<string, Held>();
  const own = new Set(world.defaults.bindings.map((b) => `${b.kind}/${b.namespace}/${b.name}`));
  for (const binding of world.index.bindings()) {
    if (includeSystem || !own.has(`${binding.kind}/${binding.namespace}/${binding.name}`)) collect(world, binding, held);
  }
  return [...held.values()]
    .map(({ subject, rules }) => ({ subject, cells: cellsOf(rules) }))
    .filter(({ cells }) => Object.keys(cells).length > 0)
    .sort((a, b) => Object.keys(b.cells).length - Object.keys(a.cells).length || (a.subject < b.subject ? -1 : 1));
}

function collect({ index }: RbacWorld, binding: Binding, held: Map<string, Held>): void {
  const role = index.resolve(binding.roleRef, binding.namespace);
  if ("error" in role) return;
  for (const subject of binding.subjects) {
    const key = subjectKey(subject, binding.namespace);
    if (key === undefined) continue;
    const entry = held.get(key) ?? { subject: describeSubject(subject, binding.namespace), rules: new Map() };
    held.set(key, entry);
    entry.rules.set(binding.namespace, [...(entry.rules.get(binding.namespace) ?? []), ...role.rules]);
  }
}

function cellsOf(rules: ReadonlyMap<string, readonly PolicyRule[]>): MatrixRow["cells"] {
  const clusterWide = rules.get("") ?? [];
  // Everything holds each of the others.
  if (proofOf(clusterWide, "cluster-admin", true) !== undefined) return { "cluster-admin": ["*"] };
  const cells: { [capability in CapabilityId]?: readonly string[] } = {};
  for (const id of capabilityIds) {
    if (proofOf(clusterWide, id, true) !== undefined) {
      cells[id] = ["*"];
      continue;
    }
    const namespaces = [...rules].flatMap(([namespace, local]) =>
      namespace !== "" && isHeldBy(clusterWide, local, id) ? namespace : [],
    );
    if (namespaces.length > 0) cells[id] = namespaces.sort();
  }
  return cells;
}
