import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { ledger } from "./migrations/0001-ledger.ts";
import { policyModes } from "./migrations/0002-policy-modes.ts";
import { accessTables } from "./migrations/0003-access.ts";
import { recordings } from "./migrations/0004-recordings.ts";
import { tokens } from "./migrations/0005-tokens.ts";
import { notifications } from "./migrations/0006-notifications.ts";
import { grantTokens } from "./migrations/0007-grant-tokens.ts";
import { breakGlass } from "./migrations/0008-break-glass.ts";
import { findingCounts } from "./migrations/0009-finding-counts.ts";
import { type Engine, StoreUnavailable } from "./store.ts";
import type { Tables } from "./tables.ts";

type Step = (db: Kysely<unknown>, engine: Engine) => Promise<void>;
export type Steps = { readonly [name: string]: Step };

/**
 * Forward only; a step that was released is never changed. A step only adds, and only what may be absent: while replicas are replaced
 * one by one, those of the version before go on writing.
 */
export const releasedSteps: Steps = {
  "0001-ledger": ledger,
  "0002-policy-modes": policyModes,
  "0003-access": accessTables,
  "0004-recordings": recordings,
  "0005-tokens": tokens,
  "0006-notifications": notifications,
  "0007-grant-tokens": grantTokens,
  "0008-break-glass": breakGlass,
  "0009-finding-counts": findingCounts,
};

/**
 * Brings the tables up to date, in one transaction; several replicas may start at once (Kysely's migrator takes an advisory lock).
 * Rejects with `StoreUnavailable` where a newer version was there.
 */
export async function migrate(db: Kysely<Tables>, engine: Engine, steps: Steps = releasedSteps): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(steps).map(([name, step]): [string, Migration] => [name, { up: (on) => step(on, engine) }]),
  );
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if ((await ageOf(db, engine, steps)) === "newer") throw isNewer(error);
  throw error;
}

/** Rejects with `StoreUnavailable` where the tables are not those of this version: they are read as they are. */
export async function requireCurrent(db: Kysely<Tables>, engine: Engine, location: string): Promise<void> {
  const age = await ageOf(db, engine, releasedSteps);
  if (age === "newer") throw isNewer();
  if (age === "older") {
    throw new StoreUnavailable(
      "STORE_OLDER",
      `an older Castellan has written ${location}`,
      "Use that version's command line, or start the server of this version once, which brings it up to date.",
    );
  }
  if (age === "empty")
    throw new StoreUnavailable("STORE_UNREACHABLE", `${location} holds nothing of Castellan`, "Name the server's database.");
}

const isNewer = (cause?: unknown) =>
  new StoreUnavailable(
    "STORE_NEWER",
    "a newer Castellan has written this database",
    "Run that version, or restore a backup.",
    cause,
  );

/** The steps that a database has had, beside those that this version knows. */
async function ageOf(db: Kysely<Tables>, engine: Engine, steps: Steps): Promise<"empty" | "older" | "current" | "newer"> {
  const noted =
    engine === "postgres"
      ? sql<{ there: number }>`select count(to_regclass('kysely_migration')) as there`
      : sql<{ there: number }>`select count(*) as there from sqlite_master where name = 'kysely_migration'`;
  if ((await noted.execute(db)).rows[0]?.there === 0) return "empty";
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  if (rows.some(({ name }) => !Object.hasOwn(steps, name))) return "newer";
  return rows.length === 0 ? "empty" : rows.length < Object.keys(steps).length ? "older" : "current";
}
