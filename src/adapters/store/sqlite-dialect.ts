import { Worker } from "node:worker_threads";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from "kysely";
import type { CheckedPage } from "./ledger-page.ts";
import type { SqliteQuery, SqliteRequest, SqliteResponse, SqliteWorkerData } from "./sqlite-worker.ts";
import type { Statement } from "./store.ts";

type Parameters = SqliteQuery["parameters"];

/** The SQLite file could not be opened, or another process holds it. */
class SqliteError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

// As source the thread runs the source; bundled or built it runs the build.
const workerUrl = import.meta.url.endsWith(".ts")
  ? new URL("./sqlite-worker.ts", import.meta.url)
  : new URL("../../../dist/adapters/store/sqlite-worker.js", import.meta.url);

interface Waiting {
  resolve(response: SqliteResponse): void;
  reject(error: Error): void;
}

/** One SQLite connection in a thread of its own, so that waiting for the disk never stops the event loop. */
export class SqliteThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private last: Promise<void> = Promise.resolve();
  private ended: Error | undefined;

  private constructor(data: SqliteWorkerData) {
    this.worker = new Worker(workerUrl, { workerData: data });
    this.worker.on("message", (response: SqliteResponse) => {
      const waiting = this.waiting.get(response.id);
      this.waiting.delete(response.id);
      waiting?.resolve(response);
    });
    this.worker.on("error", (error) => {
      this.end(error instanceof Error ? error : new Error(String(error)));
    });
    this.worker.on("exit", () => {
      this.end(new SqliteError("the database was closed", "closed"));
    });
  }

  static async open(data: SqliteWorkerData): Promise<SqliteThread> {
    const thread = new SqliteThread(data);
    await thread.answerTo(-1);
    return thread;
  }

  run(sql: string, parameters: Parameters): Promise<SqliteResponse> {
    return this.ask({ id: this.nextId++, sql, parameters });
  }

  /** Statements in one transaction; false where one changed other than it said, and nothing was kept. */
  async atOnce(statements: readonly Statement[]): Promise<boolean> {
    const release = await this.acquire();
    try {
      return (await this.ask({ id: this.nextId++, statements })).kept === true;
    } finally {
      release();
    }
  }

  async check(from: number, to: number): Promise<CheckedPage> {
    const { page } = await this.ask({ id: this.nextId++, from, to });
    if (page === undefined) throw new SqliteError("the thread checked nothing", "unknown");
    return page;
  }

  /** Resolves when nobody else uses the connection: a transaction is never interleaved with another query. */
  async acquire(): Promise<() => void> {
    const before = this.last;
    let release = () => {};
    this.last = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  private async ask(request: SqliteRequest): Promise<SqliteResponse> {
    const answer = this.answerTo(request.id);
    if (this.ended === undefined) this.worker.postMessage(request);
    const response = await answer;
    if (response.error !== undefined) throw new SqliteError(response.error.message, response.error.code);
    return response;
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private answerTo(id: number): Promise<SqliteResponse> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) reject(this.ended);
      else this.waiting.set(id, { resolve, reject });
    });
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}

class ThreadConnection implements DatabaseConnection {
  private readonly thread: SqliteThread;
  constructor(thread: SqliteThread) {
    this.thread = thread;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.thread.run(query.sql, query.parameters as Parameters);
    return {
      rows: (rows ?? []) as R[],
      ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }),
    };
  }

  // biome-ignore lint/correctness/useYield: the port has no streams here; readers page by key.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("SQLite queries are not streamed");
  }
}

/** The thread's connection, lent to one user at a time. */
class ThreadDriver implements Driver {
  private readonly thread: SqliteThread;
  private readonly connection: ThreadConnection;
  private release: (() => void) | undefined;

  constructor(thread: SqliteThread) {
    this.thread = thread;
    this.connection = new ThreadConnection(thread);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    this.release = await this.thread.acquire();
    return this.connection;
  }

  async releaseConnection(): Promise<void> {
    this.release?.();
  }

  /** One that only reads sees the file as it was at its first query, and holds up no writer. */
  async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(accessMode === "read only" ? "begin" : "begin immediate"));
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await connection.executeQuery(CompiledQuery.raw("rollback"));
    } catch (error) {
      // Where the disk is full SQLite has rolled back by itself; its own error says more than this one.
      if (!(error instanceof SqliteError && /no transaction is active/.test(error.message))) throw error;
    }
  }
  async destroy(): Promise<void> {}
}

/** SQLite's definitions of tables take part in transactions; Kysely does not count on that. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

export function sqliteDialect(thread: SqliteThread): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ThreadDriver(thread),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
