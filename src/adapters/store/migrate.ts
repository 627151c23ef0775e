import type { Kysely } from "kysely";
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

/** Forward only; a step that was released is never changed. */
const steps: { readonly [name: string]: Step } = {
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

/** Brings the tables up to date; several replicas may start at once (Kysely's migrator takes an advisory lock). */
export async function migrate(db: Kysely<Tables>, engine: Engine): Promise<void> {
  const migrations = Object.fromEntries(
    Object.entries(steps).map(([name, step]): [string, Migration] => [name, { up: (on) => step(on, engine) }]),
  );
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && /corrupted migrations/.test(error.message)) {
    throw new StoreUnavailable(
      "STORE_NEWER",
      "a newer Castellan has written this database",
      "Run that version, or restore a backup.",
      error,
    );
  }
  throw error;
}
