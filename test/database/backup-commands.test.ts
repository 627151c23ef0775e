import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ledgerSize } from "../../src/adapters/store/copy.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite, readSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { tableKeys } from "../../src/adapters/store/tables.ts";
import { runCli } from "../run-cli.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let directory = "";
let server: RunningPostgres | undefined;
const children: ChildProcess[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-backups-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const child of children) await killed(child);
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

type Env = { readonly DATABASE_URL?: string };
type Engine = "sqlite" | "postgres";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const main = source("../../src/cli/main.ts");
const writer = source("append-records.ts");

function start(env: Env, ...argv: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, argv, { env: { PATH: process.env["PATH"], ...env }, stdio: "ignore" });
  children.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await is().catch(() => false)); tries++) {
    if (tries > 3000) throw new Error("it never came to that");
    await sleep(5);
  }
}

const newDirectory = () => mkdtemp(join(directory, "d-"));
const openAt = (data: string, { DATABASE_URL: url }: Env) => (url === undefined ? openSqlite(data) : openPostgres(url));
const readAt = (data: string, { DATABASE_URL: url }: Env) => (url === undefined ? readSqlite(data) : openPostgres(url));

async function reading<T>(opening: Promise<Store>, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await opening;
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const sizeAt = (data: string, env: Env) => reading(readAt(data, env), ledgerSize);
const bodiesAt = (data: string, env: Env, limit: number) =>
  reading(readAt(data, env), async (store) => (await recordsFrom(store.reading, 0, limit)).map(({ body }) => body));

/** An engine's environment with a new database; undefined where the engine is not installed. */
async function newEnv(engine: Engine): Promise<Env | undefined> {
  if (engine === "sqlite") return {};
  return server === undefined ? undefined : { DATABASE_URL: await server.create() };
}

/** A data directory to which a process has appended at least so many records, and that process. */
async function written(env: Env, records: number): Promise<{ readonly data: string; readonly writing: ChildProcess }> {
  const data = await newDirectory();
  const writing = start(env, writer, data);
  await until(async () => (await sizeAt(data, env)) >= records);
  return { data, writing };
}

const verified = (size: number | string) => ({ code: 0, out: expect.stringMatching(new RegExp(`${size} records, verified\n`)) });

describe.each(["sqlite", "postgres"] as const)("%s", (engine) => {
  test("a backup while another process writes holds a beginning of the ledger, and comes back whole", async ({ skip }) => {
    const env = await newEnv(engine);
    const target = await newEnv(engine);
    if (env === undefined || target === undefined) return skip("PostgreSQL is not installed");
    const { data, writing } = await written(env, 3000);
    const backup = join(await newDirectory(), "made", "here");
    const before = await sizeAt(data, env);
    expect(await runCli(["store", "backup", backup, "--data", data], { env })).toMatchObject(verified("\\d+"));
    expect(writing.exitCode).toBeNull();
    const after = await sizeAt(data, env);
    await killed(writing);

    expect((await readdir(backup)).sort()).toEqual(["castellan.db", "ledger-keys.txt"]);
    expect(await runCli(["audit", "verify", "--data", backup])).toMatchObject({ code: 0 });
    const size = await sizeAt(backup, {});
    expect(size).toBeGreaterThanOrEqual(before);
    expect(size).toBeLessThan(after);
    const restored = join(await newDirectory(), "data");
    expect(await runCli(["store", "restore", backup, "--data", restored], { env: target })).toMatchObject(verified(size));
    expect(await runCli(["audit", "verify", "--data", restored], { env: target })).toMatchObject({ code: 0 });
    expect(await bodiesAt(restored, target, after)).toEqual(await bodiesAt(data, env, size));
    const again = await runCli(["store", "restore", backup, "--data", restored], { env: target });
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining("STORE_NOT_EMPTY: ") });
  });

  test("a restore that is killed has restored nothing, and can be made again", async ({ skip }) => {
    const env = await newEnv(engine);
    if (env === undefined) return skip("PostgreSQL is not installed");
    const { data, writing } = await written({}, 15_000);
    await killed(writing);
    const backup = await newDirectory();
    expect(await runCli(["store", "backup", backup, "--data", data])).toMatchObject(verified("\\d+"));
    const size = await sizeAt(backup, {});

    const restored = join(await newDirectory(), "data");
    const restoring = start(env, main, "store", "restore", backup, "--data", restored);
    // The keys come first, the records right after.
    await until(async () => (await readFile(join(restored, "ledger-keys.txt"))).length > 0);
    await sleep(50);
    await killed(restoring);
    expect(restoring.signalCode).toBe("SIGKILL");
    await reading(openAt(restored, env), async ({ db }) => {
      for (const table of Object.keys(tableKeys) as (keyof typeof tableKeys)[]) {
        const { rows } = await db
          .selectFrom(table)
          .select(({ fn }) => fn.countAll<number>().as("rows"))
          .executeTakeFirstOrThrow();
        expect([table, Number(rows)]).toEqual([table, table === "ledger_head" ? 1 : 0]);
      }
    });
    expect(await runCli(["store", "restore", backup, "--data", restored], { env })).toMatchObject(verified(size));
    expect((await readFile(join(restored, "ledger-keys.txt"), "utf8")).trim().split("\n")).toHaveLength(1);
  });

  test("a backup that cannot be made leaves nothing", async ({ skip }) => {
    const env = await newEnv(engine);
    if (env === undefined) return skip("PostgreSQL is not installed");
    const { data, writing } = await written(env, 100);
    await killed(writing);
    const parent = await newDirectory();
    const backup = (from: string) => runCli(["store", "backup", join(parent, "a", "b"), "--data", from], { env });
    // What is not a row of this table any more cannot be copied: the failure comes in the middle.
    await reading(openAt(data, env), async ({ db }) => {
      await db.schema.alterTable("ledger_tiles").renameTo("renamed").execute();
    });
    await expect(backup(data)).rejects.toThrow(/ledger_tiles/);
    expect(await readdir(parent)).toEqual([]);
    await rm(join(data, "ledger-keys.txt"));
    expect(await backup(data)).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^castellan: LEDGER_KEYS_MISSING: .*ledger-keys\.txt.*--data/),
    });
    expect(await readdir(parent)).toEqual([]);
  });
});

test("a backup that is killed is no backup; the next one into the directory is", async () => {
  const { data, writing } = await written({}, 15_000);
  await killed(writing);
  const backup = join(directory, "killed");
  const making = start({}, main, "store", "backup", backup, "--data", data);
  await until(async () => (await readdir(backup)).length > 0);
  await sleep(50);
  await killed(making);
  expect(making.signalCode).toBe("SIGKILL");
  const restore = () => runCli(["store", "restore", backup, "--data", join(directory, "restored")]);
  expect(await restore()).toMatchObject({ code: 3, err: expect.stringContaining("BACKUP_INCOMPLETE: ") });
  expect(await runCli(["store", "backup", backup, "--data", data])).toMatchObject(verified("\\d+"));
  const more = await runCli(["store", "backup", backup, "--data", data]);
  expect(more).toMatchObject({ code: 3, err: expect.stringContaining("BACKUP_EXISTS: ") });
  expect(await restore()).toMatchObject(verified("\\d+"));
});

const notBackups: readonly (readonly [string, (at: string) => Promise<unknown>, RegExp])[] = [
  ["nothing", async () => {}, /^castellan: BACKUP_INCOMPLETE: .*there is no castellan\.db/],
  ["a database of which nothing was copied", async (at) => appendKeys(at, await openSqlite(at)), /BACKUP_INCOMPLETE: .*is empty/],
  ["a database without keys", async (at) => (await openSqlite(at)).close(), /^castellan: LEDGER_KEYS_MISSING: /],
];

/** Any public key: nothing was signed yet. */
async function appendKeys(at: string, store: Store): Promise<void> {
  await store.close();
  const { data, writing } = await written({}, 1);
  await killed(writing);
  await appendFile(join(at, "ledger-keys.txt"), await readFile(join(data, "ledger-keys.txt")));
}

test.each(notBackups)("%s is not restored", async (_, make, said) => {
  const backup = await newDirectory();
  await make(backup);
  const data = join(await newDirectory(), "data");
  expect(await runCli(["store", "restore", backup, "--data", data])).toMatchObject({ code: 3, err: expect.stringMatching(said) });
  await expect(readdir(data)).rejects.toThrow("ENOENT");
});

test("what a data directory trusts already stays trusted after a restore", async () => {
  const [old, own] = [await written({}, 100), await written({}, 100)];
  for (const { writing } of [old, own]) await killed(writing);
  const backup = join(directory, "of-the-old");
  await runCli(["store", "backup", backup, "--data", old.data]);
  const data = join(directory, "new-machine");
  await mkdir(data);
  const keysOf = async (at: string) => (await readFile(join(at, "ledger-keys.txt"), "utf8")).trim();
  await appendFile(join(data, "ledger-keys.txt"), await keysOf(own.data));
  expect(await runCli(["store", "restore", backup, "--data", data])).toMatchObject({ code: 0 });
  expect(await keysOf(data)).toBe(`${await keysOf(own.data)}\n${await keysOf(old.data)}`);
});

test("a checkpoint that was kept elsewhere tells a ledger from one that ends before it", async () => {
  const { data, writing } = await written({}, 100);
  const backup = await newDirectory();
  await runCli(["store", "backup", backup, "--data", data]);
  const before = await sizeAt(backup, {});
  await until(async () => (await sizeAt(data, {})) > before);
  await killed(writing);
  const kept = join(await newDirectory(), "kept.txt");
  const { code, out } = await runCli(["audit", "checkpoint", "--data", data]);
  expect([code, out.split("\n")[1]]).toEqual([0, String(await sizeAt(data, {}))]);
  await writeFile(kept, out);
  expect(await runCli(["audit", "verify", "--data", data, "--checkpoint", kept])).toMatchObject({ code: 0 });
  expect(await runCli(["audit", "verify", "--data", backup, "--checkpoint", kept])).toMatchObject({
    code: 1,
    out: expect.stringContaining("NOT verified"),
  });
  const empty = await newDirectory();
  await (await openSqlite(empty)).close();
  const nothing = await runCli(["audit", "checkpoint", "--data", empty]);
  expect(nothing).toMatchObject({ code: 3, err: expect.stringContaining("nothing is signed yet") });
});
