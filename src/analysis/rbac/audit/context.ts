import type { Binding, Role } from "../objects.ts";
import type { RbacWorld } from "../world.ts";
import { SystemRbac } from "./system.ts";

/** What every check of the audit looks at. */
export interface AuditContext {
  readonly world: RbacWorld;
  readonly system: SystemRbac;
  /** Also what Kubernetes gives to itself. */
  readonly includeSystem: boolean;
  /** Bindings that are judged, by the role they refer to; bindings to roles that are not there are left out. */
  readonly held: ReadonlyMap<Role, readonly Binding[]>;
}

export function auditContext(world: RbacWorld, includeSystem: boolean): AuditContext {
  const system = new SystemRbac(world.defaults);
  const held = new Map<Role, Binding[]>();
  for (const binding of world.index.bindings()) {
    if (!includeSystem && system.isUnchangedBinding(binding)) continue;
    if (binding.subjects.length === 0) continue;
    const role = world.index.resolve(binding.roleRef, binding.namespace);
    if ("error" in role) continue;
    held.set(role, [...(held.get(role) ?? []), binding]);
  }
  return { world, system, includeSystem, held };
}
