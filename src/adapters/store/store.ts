import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export type Engine = "sqlite" | "postgres";

/** A database that is open and has all its tables. */
export interface Store {
  readonly engine: Engine;
  /** Where it is, without a password, for people. */
  readonly location: string;
  /** Reads and writes; a transaction excludes other writers on SQLite. */
  readonly db: Kysely<Tables>;
  /** Reads that may take long; they do not hold up `db`. */
  readonly reading: Kysely<Tables>;
  close(): Promise<void>;
}

/** The database cannot be used; `next` says what to do. */
export class StoreUnavailable extends Error {
  readonly code: "STORE_LOCKED" | "STORE_UNREACHABLE" | "STORE_NEWER";
  readonly next: string;
  constructor(code: StoreUnavailable["code"], message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
}
