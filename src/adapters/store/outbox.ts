import { type Kysely, sql } from "kysely";
import type { NotificationRow, Tables } from "./tables.ts";

export type NewNotification = Pick<NotificationRow, "id" | "request" | "event" | "target" | "payload">;

/** Keeps each message once, whichever replicas say it; answers how many are new. */
export async function enqueue(db: Kysely<Tables>, messages: readonly NewNotification[], now: number): Promise<number> {
  if (messages.length === 0) return 0;
  const rows = messages.map((message) => ({
    ...message,
    state: "pending" as const,
    attempts: 0,
    created: now,
    due: now,
    leased_until: 0,
    sent: null,
    problem: null,
  }));
  const inserted = await db
    .insertInto("notifications")
    .values(rows)
    .onConflict((conflict) => conflict.columns(["request", "event", "target"]).doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0n);
}

/** Messages that are due and that nobody else is sending; they are ours until `until`. */
export async function lease(
  db: Kysely<Tables>,
  { now, until, limit }: { readonly now: number; readonly until: number; readonly limit: number },
): Promise<readonly NotificationRow[]> {
  const due = await db
    .selectFrom("notifications")
    .select("id")
    .where("state", "=", "pending")
    .where("due", "<=", now)
    .where("leased_until", "<=", now)
    .orderBy("due")
    .limit(limit)
    .execute();
  const ours: NotificationRow[] = [];
  for (const { id } of due) {
    // Of two replicas that saw the same row, one update finds it free.
    const row = await db
      .updateTable("notifications")
      .set({ leased_until: until, attempts: sql<number>`attempts + 1` })
      .where("id", "=", id)
      .where("state", "=", "pending")
      .where("leased_until", "<=", now)
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) ours.push(row);
  }
  return ours;
}

export async function markSent(db: Kysely<Tables>, id: string, now: number): Promise<void> {
  await db
    .updateTable("notifications")
    .set({ state: "sent", sent: now, leased_until: 0, problem: null })
    .where("id", "=", id)
    .execute();
}

/** `due` undefined: given up, a dead letter. */
export async function markFailed(db: Kysely<Tables>, id: string, problem: string, due: number | undefined): Promise<void> {
  const state = due === undefined ? "dead" : "pending";
  await db
    .updateTable("notifications")
    .set({ state, problem, leased_until: 0, ...(due === undefined ? {} : { due }) })
    .where("id", "=", id)
    .execute();
}

/** Newest first. */
export function readNotifications(
  db: Kysely<Tables>,
  filter: {
    readonly state?: NotificationRow["state"] | undefined;
    readonly request?: string | undefined;
    readonly limit: number;
  },
): Promise<readonly NotificationRow[]> {
  let query = db.selectFrom("notifications").selectAll().orderBy("created", "desc").orderBy("id").limit(filter.limit);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.request !== undefined) query = query.where("request", "=", filter.request);
  return query.execute();
}

/** A dead letter is tried anew, from the first attempt; false: there is no such dead letter. */
export async function reviveDead(db: Kysely<Tables>, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("notifications")
    .set({ state: "pending", attempts: 0, due: now, leased_until: 0 })
    .where("id", "=", id)
    .where("state", "=", "dead")
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Messages that were sent before `before` go; dead letters stay until somebody looks at them. */
export async function forgetSent(db: Kysely<Tables>, before: number): Promise<void> {
  await db.deleteFrom("notifications").where("state", "=", "sent").where("sent", "<", before).execute();
}
