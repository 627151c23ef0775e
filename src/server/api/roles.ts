import type { User } from "./session.ts";

/** Everybody who is logged in with a role may view; an admin may do everything. */
export const roles = ["viewer", "auditor", "policy-admin", "admin"] as const;
export type Role = (typeof roles)[number];

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may use a route; else viewers may read, and only admins may do anything else. `anybody`: whoever is logged in. */
    role?: Role | "anybody";
    /** Where the token against cross-site requests is, if not in a header; `none`: the route takes nothing from cookies. */
    csrf?: "in-form" | "none";
    /** Its messages carry a signature of their own instead of a session. */
    signed?: boolean;
  }
}

export type RoleMembers = {
  readonly [role in Role]?: { readonly users: readonly string[]; readonly groups: readonly string[] } | undefined;
};

/** The roles that a user has by name or by one of their groups. */
export function rolesOf(name: string, groups: readonly string[], members: RoleMembers): readonly Role[] {
  return roles.filter((role) => {
    const listed = members[role];
    return listed !== undefined && (listed.users.includes(name) || listed.groups.some((group) => groups.includes(group)));
  });
}

export function mayAct({ roles: own }: User, needed: Role | "anybody"): boolean {
  if (needed === "anybody") return true;
  if (own.includes("admin")) return true;
  return needed === "viewer" ? own.length > 0 : own.includes(needed);
}

export function neededRole(method: string, configured: Role | "anybody" | undefined): Role | "anybody" {
  return configured ?? (method === "GET" || method === "HEAD" ? "viewer" : "admin");
}
