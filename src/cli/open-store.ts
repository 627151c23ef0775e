import { openPostgres } from "../adapters/store/postgres.ts";
import { openSqlite, readSqlite } from "../adapters/store/sqlite.ts";
import { type Store, StoreUnavailable } from "../adapters/store/store.ts";
import { UsageError } from "./command.ts";

/** The PostgreSQL of `url`, else the embedded database in `directory`. Throws `UsageError`. */
export function openStore(directory: string, url: string | undefined): Promise<Store> {
  return orUsageError(() => (url === undefined ? openSqlite(directory) : openPostgres(url)));
}

/** As `openStore` to read only: a server may have the embedded database. */
export function readStore(directory: string, url: string | undefined): Promise<Store> {
  return orUsageError(() => (url === undefined ? readSqlite(directory) : openPostgres(url)));
}

async function orUsageError(open: () => Promise<Store>): Promise<Store> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new UsageError(`${error.message}. ${error.next}`);
    throw error;
  }
}
