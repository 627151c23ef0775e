import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export type Engine = "sqlite" | "postgres";

/** A database that is open and has all its tables. */
export type Store = EmbeddedStore | SharedStore;

interface OpenStore {
  /** Where it is, without a password, for people. */
  readonly location: string;
  /** Reads and writes; a transaction excludes other writers on SQLite. */
  readonly db: Kysely<Tables>;
  /** Reads that may take long; they do not hold up `db`. */
  readonly reading: Kysely<Tables>;
  close(): Promise<void>;
}

/** SQLite: one process writes. */
interface EmbeddedStore extends OpenStore {
  readonly engine: "sqlite";
  /**
   * Runs statements in one transaction and one message to the thread that writes; resolves once it is on the disk. False
   * where one changed other than it said: then nothing was kept.
   */
  readonly atOnce: (statements: readonly Statement[]) => Promise<boolean>;
}

/** PostgreSQL: several processes may write. */
interface SharedStore extends OpenStore {
  readonly engine: "postgres";
  /** Tells of notifications on a channel, and after every connection; nobody may rely on hearing all. The answer ends it. */
  readonly listen: (channel: string, told: () => void) => () => Promise<void>;
}

/** A statement that changes rows. It runs once for each list of parameters. */
export interface Statement {
  readonly sql: string;
  readonly runs: readonly (readonly (string | number | null | Uint8Array)[])[];
  /** How many rows all its runs together have to change. */
  readonly changes?: number;
}

/** The database cannot be used; `next` says what to do. */
export class StoreUnavailable extends Error {
  readonly code: "STORE_LOCKED" | "STORE_UNREACHABLE" | "STORE_NEWER" | "STORE_OLDER";
  readonly next: string;
  constructor(code: StoreUnavailable["code"], message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
}
