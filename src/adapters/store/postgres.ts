import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { migrate, requireCurrent } from "./migrate.ts";
import { listenOn } from "./postgres-listen.ts";
import { closeWhenSilent } from "./silent-connection.ts";
import { type Store, StoreUnavailable } from "./store.ts";
import type { Tables } from "./tables.ts";

const int8 = 20;
const oldest = 150000;

/** All our 64-bit numbers are times, counts and sequence numbers below 2^53. */
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as "text"),
};

export interface PostgresOptions {
  /**
   * A statement that takes longer, or to which no byte comes back for so long, has failed, and its connection is closed; milliseconds.
   * Undefined: whoever asks has time.
   */
  readonly answerMilliseconds?: number | undefined;
}

/** To connect, and to wait for one of the pool's connections. */
const connectMilliseconds = 10_000;
/** Of its side of a connection on which nobody speaks any more the server keeps no locks for longer. */
const abandoned =
  "set idle_in_transaction_session_timeout = '30s'; set tcp_user_timeout = '30s'; set tcp_keepalives_idle = '30s'";

/** Opens a PostgreSQL database (15 or newer) by its URL and brings it up to date; rejects with `StoreUnavailable`. */
export function openPostgres(url: string, options: PostgresOptions = {}): Promise<Store> {
  return open(url, options, (db) => migrate(db, "postgres"));
}

/** Opens one as it is, which may have its servers; rejects with `StoreUnavailable`, also where they are of another version. */
export function readPostgres(url: string): Promise<Store> {
  return open(url, {}, (db, location) => requireCurrent(db, "postgres", location));
}

async function open(
  url: string,
  { answerMilliseconds }: PostgresOptions,
  prepare: (db: Kysely<Tables>, location: string) => Promise<void>,
): Promise<Store> {
  // Migrations take their time, and replicas wait for each other's.
  let limit: number | undefined;
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types,
    application_name: "castellan",
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectMilliseconds,
    async onConnect(client) {
      // One that is lent is not watched by the pool: without a listener its end would be the process's.
      client.on("error", () => {});
      closeWhenSilent(client, () => limit);
      // Not as parameters of the connection, which poolers refuse; one that refuses these too goes without.
      await client.query(limit === undefined ? abandoned : `${abandoned}; set statement_timeout = ${limit}`).catch(() => {});
    },
  });
  // An idle connection that the server ends is replaced by the pool; the next query says what is wrong, if anything is.
  pool.on("error", () => {});
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const location = withoutPassword(url);
  try {
    const { rows } = await sql<{ version: string }>`select current_setting('server_version_num') as version`.execute(db);
    if (Number(rows[0]?.version) < oldest) {
      throw new StoreUnavailable("STORE_UNREACHABLE", `${location} is older than PostgreSQL 15`, "Use PostgreSQL 15 or newer.");
    }
    await prepare(db, location);
    limit = answerMilliseconds;
  } catch (error) {
    await db.destroy();
    if (error instanceof StoreUnavailable) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailable(
      "STORE_UNREACHABLE",
      `${location} cannot be used: ${message}`,
      "Check DATABASE_URL, the server and its rights.",
      error,
    );
  }
  const listen = (channel: string, told: () => void) => listenOn(url, channel, told);
  return { engine: "postgres", location, db, reading: db, listen, close: () => db.destroy() };
}

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.password = "";
    parsed.search = "";
    return parsed.toString();
  } catch {
    return "DATABASE_URL";
  }
}
