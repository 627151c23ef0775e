import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { StoredRow } from "../../ledger/verify.ts";
import { type CheckedPage, checkedColumns, checkedRows } from "./ledger-page.ts";
import type { Statement } from "./store.ts";

/** What the thread that owns a SQLite file is started with. */
export interface SqliteWorkerData {
  readonly file: string;
  /** Held exclusively for as long as the thread lives, so that no second process writes; readers need none. */
  readonly lock: string | undefined;
  /**
   * Shared by the two threads of the process that owns the file: the one that reads moves the log to the file, and sets the
   * first number when it has. Undefined: this thread only reads.
   */
  readonly moved: Int32Array<SharedArrayBuffer> | undefined;
}

export type SqliteRequest = SqliteQuery | SqliteTransaction | LedgerPageRequest;

export interface SqliteQuery {
  readonly id: number;
  readonly sql: string;
  /** Of one run; or one list of lists: the statement runs once for each of them. */
  readonly parameters: readonly SQLInputValue[] | readonly [readonly (readonly SQLInputValue[])[]];
}

/** All of it is on the disk before the answer, or nothing: `kept` says which. */
interface SqliteTransaction {
  readonly id: number;
  readonly statements: readonly Statement[];
}

/** Records to be checked where they are read: of each only its leaf crosses. */
interface LedgerPageRequest {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

export interface SqliteResponse {
  readonly id: number;
  readonly rows?: readonly unknown[];
  readonly changes?: number;
  readonly kept?: boolean;
  readonly page?: CheckedPage;
  readonly error?: { readonly message: string; readonly code: string };
}

const cached = 500;
/** How often what is in the log is moved to the file. */
const checkpointMilliseconds = 250;
/** The thread that writes does it by itself where the other has not for so long. */
const overdueMilliseconds = 1000;

function open({ file, lock, moved }: SqliteWorkerData): DatabaseSync {
  if (lock === undefined) {
    if (moved === undefined) return new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    const reader = new DatabaseSync(file, { timeout: 5000 });
    reader.exec("pragma query_only = on; pragma synchronous = full; pragma wal_autocheckpoint = 0");
    return reader;
  }
  const guard = new DatabaseSync(lock);
  guard.exec("pragma journal_mode = delete; begin exclusive");
  held.push(guard);
  const database = new DatabaseSync(file, { timeout: 5000 });
  database.exec(
    "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma cache_size = -32768; pragma wal_autocheckpoint = 0",
  );
  return database;
}

// The exclusive lock ends when its connection is collected, so it is kept.
const held: DatabaseSync[] = [];
const port = parentPort;
if (port === null) throw new Error("this module runs in a worker thread");
const data = workerData as SqliteWorkerData;
const database = open(data);
const statements = new Map<string, StatementSync>();

function prepared(sql: string): StatementSync {
  let statement = statements.get(sql);
  if (statement === undefined) {
    if (statements.size >= cached) statements.clear();
    statement = database.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

function answer(request: SqliteRequest): SqliteResponse {
  const { id } = request;
  try {
    if ("statements" in request) return { id, kept: atOnce(request.statements) };
    return "from" in request ? { id, page: checkedPage(request) } : { id, ...query(request) };
  } catch (error) {
    const code = error instanceof Error && "errstr" in error ? String(error.errstr) : "";
    return { id, error: { message: error instanceof Error ? error.message : String(error), code } };
  }
}

function query({ sql, parameters }: SqliteQuery): Pick<SqliteResponse, "rows" | "changes"> {
  const statement = prepared(sql);
  const [runs] = parameters;
  if (Array.isArray(runs)) {
    for (const run of runs) statement.run(...run);
    return { changes: runs.length };
  }
  const values = parameters as readonly SQLInputValue[];
  if (statement.columns().length > 0) return { rows: statement.all(...values) };
  return { changes: Number(statement.run(...values).changes) };
}

function checkedPage({ from, to }: LedgerPageRequest): CheckedPage {
  const columns = checkedColumns.map((column) => column.replace(/\w+$/, '"$&"')).join(", ");
  const rows: unknown = prepared(`select ${columns} from ledger_records where seq >= ? and seq < ? order by seq`).all(from, to);
  return checkedRows(rows as StoredRow[]);
}

function atOnce(statements: readonly Statement[]): boolean {
  prepared("begin immediate").run();
  try {
    const kept = statements.every(({ sql, runs, changes }) => {
      let changed = 0;
      for (const run of runs) changed += Number(prepared(sql).run(...run).changes);
      return changes === undefined || changed === changes;
    });
    prepared(kept ? "commit" : "rollback").run();
    return kept;
  } finally {
    // Where the disk is full SQLite has rolled back by itself.
    if (database.isTransaction) prepared("rollback").run();
  }
}

let lastMoved = performance.now();

/** As far as nobody has to wait for it. SQLite would do it within a commit, whose answer somebody waits for. */
function moveLog(): void {
  lastMoved = performance.now();
  try {
    prepared("pragma wal_checkpoint(passive)").all();
  } catch {
    // Where the disk is full, say: the log holds it all, and the next time comes.
  }
}

/** What came in while the other thread moved the rest: then nothing is left in the log, and it begins anew. */
function finishLog(moved: Int32Array<SharedArrayBuffer>): void {
  if (database.isTransaction) return;
  const isOverdue = performance.now() - lastMoved >= overdueMilliseconds;
  if (Atomics.exchange(moved, 0, 0) === 1 || isOverdue) moveLog();
}

const { lock, moved } = data;
if (lock === undefined && moved !== undefined) {
  setInterval(() => {
    moveLog();
    Atomics.store(moved, 0, 1);
  }, checkpointMilliseconds);
}

port.on("message", (request: SqliteRequest) => {
  const response = answer(request);
  const { page } = response;
  port.postMessage(response, page === undefined ? [] : [page.leaves.buffer, page.seqs.buffer, page.tiles.buffer]);
  if (lock !== undefined && moved !== undefined) finishLog(moved);
});
port.postMessage({ id: -1 });
