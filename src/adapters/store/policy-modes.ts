import type { Kysely } from "kysely";
import type { PolicyModeRow, Tables } from "./tables.ts";

/** The modes that operators gave to policies of one cluster. */
export function readPolicyModes(db: Kysely<Tables>, cluster: string): Promise<readonly PolicyModeRow[]> {
  return db
    .selectFrom("policy_modes")
    .selectAll()
    .where("cluster", "=", cluster)
    .orderBy("policy")
    .orderBy("namespace")
    .execute();
}

/** Sets one mode in place of the one before. */
export async function writePolicyMode(db: Kysely<Tables>, row: PolicyModeRow): Promise<void> {
  const { mode, changed_at, changed_by, reason } = row;
  await db
    .insertInto("policy_modes")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["cluster", "policy", "namespace"]).doUpdateSet({ mode, changed_at, changed_by, reason }),
    )
    .execute();
}
