import type { RequestAttributes } from "../../core/request-attributes.ts";
import { authorize, type Grant, whoCan } from "./authorize.ts";
import { effectiveGroups, type Identities, isExternalGroup, serviceAccountOf } from "./identities.ts";
import { type NearMiss, nearestMiss } from "./near-miss.ts";
import type { RbacWorld } from "./world.ts";

/** Who asks; `groups` undefined: those that the identities name. */
export interface Asker {
  readonly user: string;
  readonly groups: readonly string[] | undefined;
}

export interface CanIAnswer {
  readonly allowed: boolean;
  readonly request: RequestAttributes;
  /** In the API server's words; empty where no rule speaks. */
  readonly reason: string;
  readonly grant: Grant | undefined;
  readonly nearest: NearMiss | undefined;
  /** Nobody said in which groups the user is; a member of one of these would be allowed. */
  readonly allowedGroups: readonly string[];
  readonly notes: readonly string[];
}

function groupsOf({ user, groups }: Asker, identities: Identities): readonly string[] {
  return effectiveGroups(user, groups ?? identities.groupsOf(user) ?? []);
}

/** Decides whether somebody may, and says why, or how near it is. */
export function canI(
  world: RbacWorld,
  asker: Asker,
  question: Omit<RequestAttributes, "user" | "groups">,
  identities: Identities,
): CanIAnswer {
  const request: RequestAttributes = { ...question, user: asker.user, groups: groupsOf(asker, identities) };
  const decision = authorize(world.index, request);
  const allowed = decision.decision === "allow";
  return {
    allowed,
    request,
    reason: decision.reason,
    grant: decision.decision === "allow" ? decision.grant : undefined,
    nearest: allowed ? undefined : nearestMiss(world.index, request),
    allowedGroups: !allowed && groupsUnknown(asker, identities) ? allowedGroups(world, request) : [],
    notes: notesFor(request, world),
  };
}

/** A person whose groups nobody named may be in any of an identity provider's. */
function groupsUnknown({ user, groups }: Asker, identities: Identities): boolean {
  if (groups !== undefined || user.startsWith("system:") || serviceAccountOf(user) !== undefined) return false;
  return identities.groupsOf(user) === undefined;
}

function allowedGroups(world: RbacWorld, request: RequestAttributes): readonly string[] {
  const groups = whoCan(world.index, request).subjects.flatMap((s) =>
    s.kind === "Group" && isExternalGroup(s.name) ? s.name : [],
  );
  return [...new Set(groups)].sort();
}

/** Subresources that are asked about most, and written like names. */
const subresources = new Set(
  "exec,attach,log,portforward,proxy,ephemeralcontainers,eviction,binding,status,scale,token,approval,finalize".split(","),
);

function notesFor({ user, groups, resource, name, subresource }: RequestAttributes, world: RbacWorld): readonly string[] {
  const notes: string[] = [];
  if (subresource === "" && subresources.has(name))
    notes.push(
      `${resource}/${name} is the object named ${name}, as kubectl reads it; --subresource ${name} asks about the subresource.`,
    );
  if (groups.includes("system:nodes"))
    notes.push("The Node authorizer, which decides about kubelets, is not part of the answer.");
  const account = serviceAccountOf(user);
  if (account !== undefined && !world.serviceAccounts.has(user) && account.name !== "default") {
    notes.push(`No ServiceAccount ${account.namespace}/${account.name} is among the objects.`);
  }
  return notes;
}
