import { type Kysely, sql } from "kysely";

/** How far the rollout of each policy has come. */
export async function policyModes(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policy_modes (
      cluster text not null,
      policy text not null,
      namespace text not null,
      mode text not null,
      changed_at bigint not null,
      changed_by text not null,
      reason text,
      primary key (cluster, policy, namespace)
    )`.execute(db);
}
