import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { compareSemver, parseSemver } from "../../core/semver.ts";
import { migrate, requireCurrent } from "./migrate.ts";
import { SqliteThread, sqliteDialect } from "./sqlite-dialect.ts";
import { type Store, StoreUnavailable } from "./store.ts";
import type { Tables } from "./tables.ts";

/** Before it, one connection that commits while another moves the log could lose pages (sqlite.org/wal.html#walresetbug). */
const firstSafeVersion = parseSemver("3.51.3");

/** Whether the log may be moved by another thread than the one that writes. */
export function mayShareMoving(sqliteVersion: string | undefined): boolean {
  const version = sqliteVersion === undefined ? undefined : parseSemver(sqliteVersion);
  return version !== undefined && firstSafeVersion !== undefined && compareSemver(version, firstSafeVersion) >= 0;
}

export const databaseName = "castellan.db";
const fileOf = (directory: string) => join(directory, databaseName);

/** Opens the embedded database in `directory` for one process; rejects with `StoreUnavailable` where another has it. */
export async function openSqlite(directory: string): Promise<Store> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = fileOf(directory);
  const moved = new Int32Array(new SharedArrayBuffer(4));
  let writer: SqliteThread;
  try {
    // It holds keys: made for its owner alone, also where the directory was made by somebody else; its other files are made likewise.
    await appendFile(file, "", { mode: 0o600 });
    writer = await SqliteThread.open({ file, lock: join(directory, "lock.db"), moved });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!/locked/.test(message)) {
      throw new StoreUnavailable(
        "STORE_UNREACHABLE",
        `${file} cannot be opened: ${message}`,
        "Check the directory and its permissions.",
        error,
      );
    }
    throw new StoreUnavailable(
      "STORE_LOCKED",
      `another castellan process uses ${file}`,
      "Stop it, or give this one its own directory; for several processes set DATABASE_URL to a PostgreSQL database.",
      error,
    );
  }
  const db = new Kysely<Tables>({ dialect: sqliteDialect(writer) });
  try {
    await migrate(db, "sqlite");
  } catch (error) {
    await writer.close();
    throw error;
  }
  const reader = await SqliteThread.open({
    file,
    lock: undefined,
    moved: mayShareMoving(process.versions["sqlite"]) ? moved : undefined,
  });
  return {
    engine: "sqlite",
    location: file,
    db,
    reading: new Kysely<Tables>({ dialect: sqliteDialect(reader) }),
    atOnce: (statements) => writer.atOnce(statements),
    // Kysely ends only connections that it has used.
    close: async () => {
      await Promise.all([writer.close(), reader.close()]);
    },
  };
}

/** Opens it to read only, as another process writes; rejects with `StoreUnavailable`, also where that is of another version. */
export async function readSqlite(directory: string): Promise<Store> {
  const file = fileOf(directory);
  let thread: SqliteThread | undefined;
  try {
    thread = await SqliteThread.open({ file, lock: undefined, moved: undefined });
    const reader = thread;
    const db = new Kysely<Tables>({ dialect: sqliteDialect(reader) });
    await requireCurrent(db, "sqlite", file);
    return { engine: "sqlite", location: file, db, reading: db, atOnce: (s) => reader.atOnce(s), close: () => reader.close() };
  } catch (error) {
    await thread?.close();
    if (error instanceof StoreUnavailable) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailable(
      "STORE_UNREACHABLE",
      `${file} cannot be read: ${message}`,
      "Name the server's data directory.",
      error,
    );
  }
}

/**
 * Puts all of a database that nobody has open into its one file: it can be moved alone, and read where nothing can be written.
 */
export function sealSqlite(directory: string): void {
  const database = new DatabaseSync(fileOf(directory), { timeout: 5000 });
  try {
    database.exec("pragma synchronous = full; pragma journal_mode = delete");
  } finally {
    database.close();
  }
}
