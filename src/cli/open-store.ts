import { Ledger } from "../adapters/store/ledger.ts";
import { sha256 } from "../adapters/store/ledger-hashes.ts";
import { latestCheckpoint } from "../adapters/store/ledger-reading.ts";
import { openBackup } from "../adapters/store/open-backup.ts";
import { openPostgres, type PostgresOptions, readPostgres } from "../adapters/store/postgres.ts";
import { keysOf, openSigner, verifyEd25519 } from "../adapters/store/signing-key.ts";
import { openSqlite, readSqlite } from "../adapters/store/sqlite.ts";
import { type Store, StoreUnavailable } from "../adapters/store/store.ts";
import type { Instant } from "../core/host.ts";
import { readCheckpoint } from "../ledger/checkpoint.ts";
import { UsageError } from "./command.ts";

/** The name that checkpoints are signed under. */
export const ledgerOrigin = "castellan/ledger";

/** The PostgreSQL of `url`, else the embedded database in `directory`. Throws `UsageError`. */
export function openStore(directory: string, url: string | undefined, options?: PostgresOptions): Promise<Store> {
  return orUsageError(() => (url === undefined ? openSqlite(directory) : openPostgres(url, options)));
}

/** A store to read only, which a server of this version may have. Throws `UsageError`. */
export function readStore(directory: string, url: string | undefined): Promise<Store> {
  return orUsageError(() => (url === undefined ? readSqlite(directory) : readPostgres(url)));
}

/** A backup to read, of this version or an older one, which needs room in the directory `scratch`. Throws `UsageError`. */
export function readBackup(directory: string, scratch: string): Promise<Store> {
  return orUsageError(() => openBackup(directory, scratch));
}

/**
 * The ledger in a store, its checkpoints signed by the key of `keyFile`, or else in `directory`, which is made where there is none.
 * Throws `UsageError` where the directory has no part in the ledger: whoever trusts the keys that signed it could not verify what a new one signs.
 */
export async function openLedger(store: Store, directory: string, now: () => Instant, keyFile?: string): Promise<Ledger> {
  const last = keyFile === undefined ? await latestCheckpoint(store.reading) : undefined;
  if (last !== undefined && !readCheckpoint(sha256, verifyEd25519, await keysOf(directory), last.note).ok)
    throw new UsageError(
      `the ledger is signed by a key that is not in ${directory}/ledger-keys.txt: name the server's key with --ledger-key, or its directory with --data`,
    );
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
