import type { RequestAttributes } from "../../../core/request-attributes.ts";
import { authorizeByRules } from "../authorize.ts";
import { bindingManifest, roleManifest } from "../manifests.ts";
import type { Binding } from "../objects.ts";
import { nameManifest, type RbacProposal } from "../proposal.ts";
import { RbacIndex, subjectKey } from "../rbac-index.ts";
import type { RbacWorld } from "../world.ts";
import type { Learned, Proposal } from "./propose.ts";

/** What becomes of the bindings that the proposals replace: other subjects of theirs stay. */
interface Bindings {
  readonly deleted: readonly Binding[];
  readonly reduced: readonly Binding[];
}

function bindingsAfter(proposals: readonly Proposal[]): Bindings {
  const users = new Set(proposals.map((p) => `u:${p.user}`));
  const replaced = new Set(proposals.flatMap((p) => p.replaced.map((r) => r.binding)));
  const deleted: Binding[] = [];
  const reduced: Binding[] = [];
  for (const binding of replaced) {
    const subjects = binding.subjects.filter((s) => !users.has(subjectKey(s, binding.namespace) ?? ""));
    if (subjects.length === 0) deleted.push(binding);
    else reduced.push({ ...binding, subjects });
  }
  return { deleted, reduced };
}

/** All proposals as one change: their roles and bindings, and the end of what they replace. */
export function learnedProposal(proposals: readonly Proposal[]): RbacProposal {
  const { deleted, reduced } = bindingsAfter(proposals);
  return {
    apply: [
      ...proposals.flatMap(({ roles, bindings }) => [...roles.map(roleManifest), ...bindings.map(bindingManifest)]),
      ...reduced.map(bindingManifest),
    ],
    delete: deleted.map((binding) => nameManifest(bindingManifest(binding))),
  };
}

/** The requests that were allowed and would no longer be after all of the proposals: there must be none. */
export function replay(
  world: RbacWorld,
  proposals: readonly Proposal[],
  learned: readonly Learned[],
): readonly RequestAttributes[] {
  const index = indexAfter(world.index, proposals);
  return learned.flatMap(({ requests }) =>
    requests.filter((r) => !r.denied && authorizeByRules(index, r.request).decision !== "allow").map((r) => r.request),
  );
}

function indexAfter(before: RbacIndex, proposals: readonly Proposal[]): RbacIndex {
  const { deleted, reduced } = bindingsAfter(proposals);
  const index = new RbacIndex();
  for (const role of before.roles()) index.putRole(role);
  for (const binding of before.bindings()) index.putBinding(binding);
  for (const { kind, namespace, name } of deleted) index.removeBinding(kind, namespace, name);
  for (const binding of reduced) index.putBinding(binding);
  for (const { roles, bindings } of proposals) {
    for (const role of roles) index.putRole(role);
    for (const binding of bindings) index.putBinding(binding);
  }
  return index;
}
