import { Ledger } from "../adapters/store/ledger.ts";
import { openPostgres, type PostgresOptions } from "../adapters/store/postgres.ts";
import { openSigner } from "../adapters/store/signing-key.ts";
import { openSqlite, readSqlite } from "../adapters/store/sqlite.ts";
import { type Store, StoreUnavailable } from "../adapters/store/store.ts";
import type { Instant } from "../core/host.ts";
import { UsageError } from "./command.ts";

/** The name that checkpoints are signed under. */
export const ledgerOrigin = "castellan/ledger";

/** The PostgreSQL of `url`, else the embedded database in `directory`. Throws `UsageError`. */
export function openStore(directory: string, url: string | undefined, options?: PostgresOptions): Promise<Store> {
  return orUsageError(() => (url === undefined ? openSqlite(directory) : openPostgres(url, options)));
}

/** As `openStore` to read only: a server may have the embedded database. */
export function readStore(directory: string, url: string | undefined): Promise<Store> {
  return orUsageError(() => (url === undefined ? readSqlite(directory) : openPostgres(url)));
}

/** The ledger in a store, its checkpoints signed by the key of `keyFile`, or else in `directory`, which is made where there is none. */
export async function openLedger(store: Store, directory: string, now: () => Instant, keyFile?: string): Promise<Ledger> {
  return new Ledger(store, await openSigner(directory, ledgerOrigin, keyFile), now);
}

async function orUsageError(open: () => Promise<Store>): Promise<Store> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new UsageError(`${error.message}. ${error.next}`);
    throw error;
  }
}
