import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { migrate, releasedSteps, type Steps } from "../../src/adapters/store/migrate.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { databaseName, openSqlite, sealSqlite } from "../../src/adapters/store/sqlite.ts";
import { SqliteThread, sqliteDialect } from "../../src/adapters/store/sqlite-dialect.ts";
import type { Engine, Store } from "../../src/adapters/store/store.ts";
import { type Tables, tableKeys } from "../../src/adapters/store/tables.ts";
import { runCli } from "../run-cli.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

const names = Object.keys(releasedSteps);
const first = (count: number): Steps => Object.fromEntries(Object.entries(releasedSteps).slice(0, count));
/** What a version after this one might do, as `releasedSteps` says steps are. */
const future: Steps = {
  ...releasedSteps,
  "9999-future": async (db) => {
    await sql`create table tomorrow (id text primary key)`.execute(db);
    await sql`alter table ledger_records add column colour text`.execute(db);
    await sql`alter table access_locks add column colour text`.execute(db);
  },
};

let directory = "";
let server: RunningPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-upgrade-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A database of one engine, and the data directory that goes with it. */
interface Place {
  readonly engine: Engine;
  readonly data: string;
  readonly env: { readonly DATABASE_URL?: string };
}

async function newPlace(engine: Engine, skip: (reason: string) => never): Promise<Place> {
  if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
  const data = await mkdtemp(join(directory, "data-"));
  return { engine, data, env: server === undefined || engine === "sqlite" ? {} : { DATABASE_URL: await server.create() } };
}

const openAt = ({ data, env: { DATABASE_URL: url } }: Place) => (url === undefined ? openSqlite(data) : openPostgres(url));

/** A store as it is, which nobody has brought up to date. */
async function unprepared({ engine, data, env }: Place): Promise<Store> {
  if (engine === "postgres") {
    const getTypeParser = (oid: number, format?: "text" | "binary") =>
      oid === 20 ? Number : pg.types.getTypeParser(oid, format as "text");
    const pool = new pg.Pool({ connectionString: env.DATABASE_URL, types: { getTypeParser } });
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    return { engine, location: data, db, reading: db, listen: () => async () => {}, close: () => db.destroy() };
  }
  const thread = await SqliteThread.open({ file: join(data, databaseName), lock: join(data, "lock.db"), moved: undefined });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(thread) });
  return { engine, location: data, db, reading: db, atOnce: (s) => thread.atOnce(s), close: () => thread.close() };
}

async function asItIs<T>(place: Place, work: (db: Kysely<Tables>, store: Store) => Promise<T>): Promise<T> {
  const store = await unprepared(place);
  try {
    return await work(store.db, store);
  } finally {
    await store.close();
  }
}

/** Writes a ledger of five records as a version with these steps did. */
async function writtenBy(place: Place, steps: Steps): Promise<void> {
  await asItIs(place, async (db, store) => {
    await migrate(db, place.engine, steps);
    const ledger = new Ledger(store, await openSigner(place.data, "castellan/ledger"), Date.now);
    await ledger.append(records(5));
    await ledger.close();
  });
}

const records = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ kind: "audit.event" as const, at: Date.now(), cluster: "test", data: { n } }));

const verify = ({ data, env }: Place) => runCli(["audit", "verify", "--data", data], { env });
const verified = (size: number) => ({ code: 0, out: expect.stringContaining(`${size} records`) });
const refused = (text: RegExp) => ({ code: 3, err: expect.stringMatching(text) });

/** Every column that the database has, with what it takes. */
async function columnsOf(place: Place): Promise<ReadonlyMap<string, string>> {
  const tables = await asItIs(place, (db) => db.introspection.getTables());
  return new Map(
    tables.flatMap(({ name, columns }) =>
      columns.map((column) => [
        `${name}.${column.name}`,
        `${column.dataType}${column.isNullable || column.hasDefaultValue ? "" : " not null"}`,
      ]),
    ),
  );
}

describe.each(["sqlite", "postgres"] as const)("%s", (engine) => {
  test.for(names.slice(0, -1).map((name, n) => ({ name, count: n + 1 })))(
    "what a version up to $name wrote is brought up to date, and its ledger goes on",
    async ({ count }, { skip }) => {
      const place = await newPlace(engine, skip);
      await writtenBy(place, first(count));
      const before = await columnsOf(place);
      expect(await verify(place)).toMatchObject(
        refused(/an older Castellan has written .* start the server of this version once/),
      );
      expect(await columnsOf(place)).toEqual(before);
      const store = await openAt(place);
      const ledger = new Ledger(store, await openSigner(place.data, "castellan/ledger"), Date.now);
      await ledger.append(records(3));
      await ledger.close();
      await store.close();
      expect(await verify(place)).toMatchObject(verified(8));
    },
  );

  test("a step takes nothing away and asks for nothing more: servers of the version before go on writing", async ({ skip }) => {
    const place = await newPlace(engine, skip);
    let before: ReadonlyMap<string, string> = new Map();
    for (const [n, name] of names.entries()) {
      await asItIs(place, (db) => migrate(db, engine, first(n + 1)));
      const after = await columnsOf(place);
      const tables = new Set([...before.keys()].map((column) => column.split(".")[0]));
      for (const [column, type] of before) expect([name, column, after.get(column)]).toEqual([name, column, type]);
      for (const [column, type] of after) {
        const isNeeded = !before.has(column) && tables.has(column.split(".")[0]) && type.endsWith("not null");
        expect([name, column, isNeeded]).toEqual([name, column, false]);
      }
      before = after;
    }
    const known = new Set([...before.keys()].map((column) => column.split(".")[0]));
    expect(Object.keys(tableKeys).filter((table) => !known.has(table))).toEqual([]);
  });

  test("a step that fails midway has changed nothing, and the next start does it", async ({ skip }) => {
    const place = await newPlace(engine, skip);
    await writtenBy(place, first(4));
    // The last table that the sixth step makes: those before it and the fifth step are done by then.
    await asItIs(place, (db) => sql`create table chat_nonces (other text)`.execute(db));
    const before = await columnsOf(place);
    await expect(openAt(place)).rejects.toThrow(/chat_nonces/);
    expect(await columnsOf(place)).toEqual(before);
    await asItIs(place, (db) => sql`drop table chat_nonces`.execute(db));
    await (await openAt(place)).close();
    expect(await verify(place)).toMatchObject(verified(5));
  });

  test("what a newer version wrote is refused by every command, and left alone", async ({ skip }) => {
    const place = await newPlace(engine, skip);
    await writtenBy(place, future);
    const before = await columnsOf(place);
    const { data, env } = place;
    for (const command of [
      ["serve", "--files", data, "--listen", "127.0.0.1:0"],
      ["audit", "verify"],
      ["store", "backup", join(directory, `newer-${engine}`)],
      ["store", "prune", "--older-than", "1d"],
    ])
      expect(await runCli([...command, "--data", data], { env })).toMatchObject(
        refused(/^castellan: a newer Castellan has written this database. Run that version, or restore a backup.$/m),
      );
    expect(await columnsOf(place)).toEqual(before);
    expect(await readdir(directory)).not.toContain(`newer-${engine}`);
  });

  test.for([1, 3, names.length - 1])(
    "a backup that a version with %i steps made is restored, and stays as it is",
    async (count, { skip }) => {
      const backup: Place = { engine: "sqlite", data: await mkdtemp(join(directory, "backup-")), env: {} };
      await writtenBy(backup, first(count));
      sealSqlite(backup.data);
      const file = join(backup.data, databaseName);
      const digest = async () =>
        createHash("sha256")
          .update(await readFile(file))
          .digest("hex");
      const before = await digest();
      const { data, env } = await newPlace(engine, skip);
      const restored = await runCli(["store", "restore", backup.data, "--data", data], { env });
      expect(restored).toMatchObject({ code: 0, out: expect.stringContaining("5 records, verified\n") });
      expect(await digest()).toBe(before);
      expect((await readdir(data)).filter((name) => name.startsWith(".restore-"))).toEqual([]);
      expect(await verify({ engine, data, env })).toMatchObject(verified(5));
    },
  );
});

describe("replicas that share a PostgreSQL", () => {
  test("bring it up to date once where several of the new version start together", async ({ skip }) => {
    const place = await newPlace("postgres", skip);
    await writtenBy(place, first(2));
    const stores = await Promise.all(Array.from({ length: 4 }, () => openAt(place)));
    for (const store of stores) await store.close();
    expect(await verify(place)).toMatchObject(verified(5));
  });

  test("go on writing while a newer one brings it up to date; once ended they are refused", async ({ skip }) => {
    const place = await newPlace("postgres", skip);
    const old = await openAt(place);
    const ledger = new Ledger(old, await openSigner(place.data, "castellan/ledger"), Date.now);
    let [written, isUpgraded] = [0, false];
    const writing = (async () => {
      for (let after = 0; after < 20; after += isUpgraded ? 1 : 0) {
        await ledger.append(records(10));
        written += 10;
      }
    })();
    await asItIs(place, (db) => migrate(db, "postgres", future));
    isUpgraded = true;
    await writing;
    await old.db
      .insertInto("access_locks")
      .values({ human: "ada", locked_by: "bob", why: "test", at: 1, until: null, changed: 1 })
      .execute();
    await ledger.close();
    await old.close();
    await expect(openAt(place)).rejects.toMatchObject({ code: "STORE_NEWER" });
    const size = await asItIs(place, (db) => db.selectFrom("ledger_head").select("size").executeTakeFirstOrThrow());
    expect(Number(size.size)).toBe(written);
  });
});

test("a PostgreSQL of which nobody is the server is not made one by reading it", async ({ skip }) => {
  const place = await newPlace("postgres", skip);
  expect(await verify(place)).toMatchObject(refused(/holds nothing of Castellan/));
  expect(await columnsOf(place)).toEqual(new Map());
});
