import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Person } from "../../src/access/person.ts";
import { copyStore } from "../../src/adapters/store/copy.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { Recordings, type RecordingsOptions } from "../../src/services/access/recordings.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-recordings-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const alice: Person = {
  issuer: "https://id.example",
  subject: "1",
  user: "alice",
  groups: [],
  human: "alice",
  isProgram: false,
};
const bob: Person = { ...alice, subject: "2", user: "bob", human: "bob" };
const about = {
  kind: "exec",
  cluster: "test",
  namespace: "team-a",
  pod: "web",
  container: "main",
  command: ["sh", "-c", "ls"],
  tty: false,
  protocol: "websocket v5.channel.k8s.io",
  person: alice,
  request: "r1",
  auditId: "audit-1",
} as const;

let count = 0;
const start = Date.UTC(2026, 10, 21);

interface Started {
  readonly store: Store;
  readonly keys: string;
  readonly recordings: Recordings;
  readonly ledger: Ledger;
  /** Another server on the same database. */
  again(more?: Partial<RecordingsOptions>): Promise<Recordings>;
  setTime(at: number): void;
}

async function started(engine: "sqlite" | "postgres", more: Partial<RecordingsOptions> = {}): Promise<Started> {
  const store =
    engine === "sqlite" ? await openSqlite(join(directory, `s${count++}`)) : await openPostgres((await server?.create()) ?? "");
  closing.push(() => store.close());
  const keys = await mkdtemp(join(directory, "keys-"));
  let now = start;
  const ledger = new Ledger(store, await openSigner(keys, "test.example/ledger"), () => now);
  const make = async (options: Partial<RecordingsOptions> = {}) => {
    const recordings = new Recordings({ store, ledger, now: () => now, ...more, ...options });
    await recordings.start();
    return recordings;
  };
  return {
    store,
    keys,
    ledger,
    recordings: await make(),
    again: make,
    setTime: (at) => {
      now = at;
    },
  };
}

async function begun(recordings: Recordings) {
  const live = await recordings.begin(about);
  if (!live.ok) throw new Error(live.message);
  return live.value;
}

const out = (text: string) => ({ kind: "stdout", bytes: Buffer.from(text) }) as const;

async function ledgerOf(store: Store): Promise<readonly { outcome: string; actor: string; data: { [key: string]: unknown } }[]> {
  const rows = await store.db
    .selectFrom("ledger_records")
    .select("body")
    .where("kind", "=", "access.stream")
    .orderBy("seq")
    .execute();
  return rows.map(({ body }) => JSON.parse(body));
}

async function textOf<T>(lines: { ok: true; value: AsyncIterable<T> } | { ok: false; message: string }): Promise<string> {
  if (!lines.ok) throw new Error(lines.message);
  const parts: string[] = [];
  for await (const line of lines.value) parts.push(String(line));
  return parts.join("");
}

describe.each(["sqlite", "postgres"] as const)("recordings on %s", (engine) => {
  const missing = () => engine === "postgres" && server === undefined;

  test("keeps what was shown, with its start and its digest in the ledger", async ({ skip }) => {
    if (missing()) skip("PostgreSQL is not installed");
    const { store, recordings, keys, setTime } = await started(engine);
    const live = await begun(recordings);
    await live.add([out("one ")]);
    await Promise.all([live.add([out("two ")]), live.add([out("three"), { kind: "resize", width: 90, height: 20 }])]);
    await live.add([{ kind: "status", bytes: Buffer.from('{"status":"Failure","details":{"causes":[{"reason":"ExitCode",') }]);
    await live.add([{ kind: "status", bytes: Buffer.from('"message":"7"}]}}') }]);
    expect(await recordings.verify(live.id)).toEqual({ ok: false, changed: false, problem: "the session goes on" });
    setTime(start + 5000);
    await Promise.all([live.end("the client has gone"), live.end("another reason")]);
    const [recording] = await recordings.list();
    expect(recording).toMatchObject({
      id: live.id,
      user: "alice",
      pod: "web",
      command: ["sh", "-c", "ls"],
      started: start,
      ended: start + 5000,
      outcome: { why: "the client has gone", bytes: 13, exitCode: 7 },
    });
    const verified = await recordings.verify(live.id);
    const records = await ledgerOf(store);
    expect(records.map(({ outcome }) => outcome)).toEqual(["started", "ended"]);
    expect(records[0]?.data).toMatchObject({ recording: live.id, auditId: "audit-1", request: "r1" });
    expect(verified).toEqual({ ok: true, digest: records[1]?.data["digest"] });
    const { rows } = await sql<{ body: Uint8Array }>`select body from recording_chunks order by seq`.execute(store.db);
    expect(records[1]?.data["digest"]).toBe(
      createHash("sha256")
        .update(Buffer.concat(rows.map(({ body }) => body)))
        .digest("hex"),
    );
    expect((await verifyStoredLedger(store.reading, await keysOf(keys), verifyEd25519)).problems).toEqual([]);
    await expect(live.add([out("late")])).rejects.toThrow("over");
  });

  test("what waits at once is kept in order, in chunks of a bearable size", async ({ skip }) => {
    if (missing()) skip("PostgreSQL is not installed");
    const { store, recordings } = await started(engine);
    const live = await begun(recordings);
    const texts = Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(30_000 + i));
    await Promise.all(texts.map((text) => live.add([out(text)])));
    await live.end("done");
    expect(await textOf(await recordings.output(live.id, bob))).toBe(texts.join(""));
    expect(await recordings.verify(live.id)).toMatchObject({ ok: true });
    const { rows } = await sql<{ size: number }>`select length(body) as size from recording_chunks`.execute(store.db);
    expect(rows.length).toBeLessThan(texts.length);
    expect(Math.max(...rows.map(({ size }) => size))).toBeLessThan(300_000);
  });

  test("T60 who looks at a recording is in the ledger before it is shown", async ({ skip }) => {
    if (missing()) skip("PostgreSQL is not installed");
    const { store, recordings, ledger } = await started(engine);
    const live = await begun(recordings);
    await live.add([out("secret?")]);
    await live.end("done");
    expect(await textOf(await recordings.asciicast(live.id, bob))).toContain('"o","secret?"');
    expect(await textOf(await recordings.output(live.id, bob))).toBe("secret?");
    const seen = (await ledgerOf(store)).filter(({ outcome }) => outcome === "viewed");
    expect(seen.map(({ actor, data }) => [actor, data["as"], data["recording"]])).toEqual([
      ["bob", "asciicast", live.id],
      ["bob", "output", live.id],
    ]);
    await ledger.close();
    expect(await recordings.asciicast(live.id, bob)).toMatchObject({ ok: false, code: "RECORDER_UNAVAILABLE" });
    expect(await recordings.asciicast("none", bob)).toMatchObject({ ok: false, code: "RECORDING_UNKNOWN" });
  });

  test.each([
    ["a byte", sql`update recording_chunks set body = ${Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 1, 66])} where seq = 1`, /differs/],
    ["a chunk", sql`delete from recording_chunks where seq = 1`, /chunk 1 is missing/],
    ["the end", sql`delete from recording_chunks where seq = 2`, /differs/],
  ])("a recording of which %s was changed does not verify", async (_, change, problem) => {
    if (missing()) return;
    const { store, recordings } = await started(engine);
    const live = await begun(recordings);
    for (const text of ["A", "B", "C"]) await live.add([out(text)]);
    await live.end("done");
    expect(await recordings.verify(live.id)).toMatchObject({ ok: true });
    await change.execute(store.db);
    expect(await recordings.verify(live.id)).toEqual({ ok: false, changed: true, problem: expect.stringMatching(problem) });
  });

  test("what a dead server left open is sealed by another", async ({ skip }) => {
    if (missing()) skip("PostgreSQL is not installed");
    const { store, recordings, again, setTime } = await started(engine);
    const live = await begun(recordings);
    await live.add([out("seen")]);
    // A replica that is there keeps its own.
    if (engine === "postgres") {
      setTime(start + 100_000);
      await recordings.maintain();
      setTime(start + 200_000);
      await again();
      expect(await recordings.list()).not.toMatchObject([{ outcome: {} }]);
    }
    setTime(start + 300_000);
    const other = await again();
    expect(await other.list()).toMatchObject([{ id: live.id, outcome: { interrupted: true, bytes: 4, chunks: 1 } }]);
    expect(await other.verify(live.id)).toMatchObject({ ok: true });
    // The server was not dead after all: it may show no more, and nothing is sealed twice.
    await expect(live.add([out("more")])).rejects.toThrow("was ended");
    await live.end("cut");
    expect((await ledgerOf(store)).map(({ outcome }) => outcome)).toEqual(["started", "interrupted"]);
  });

  test("retention removes what was shown; that it was stays", async ({ skip }) => {
    if (missing()) skip("PostgreSQL is not installed");
    const { store, recordings, again, setTime } = await started(engine);
    const live = await begun(recordings);
    await live.add([out("old")]);
    await live.end("done");
    setTime(start + 10);
    expect(await recordings.removeBefore(start)).toBe(0);
    const keeping = await again({ keepMilliseconds: 9 });
    await keeping.maintain();
    expect(await recordings.get(live.id)).toMatchObject({ removed: start + 10, outcome: { bytes: 3 } });
    expect(await recordings.asciicast(live.id, bob)).toMatchObject({ ok: false, code: "RECORDING_REMOVED" });
    expect((await ledgerOf(store)).at(-1)).toMatchObject({ outcome: "removed", data: { recording: live.id } });
  });

  test.each([
    ["output", out("0123456789")],
    ["sizes of the terminal", { kind: "resize", width: 1, height: 1 }],
  ] as const)("a session whose recording takes more than it may is ended: %s", async (_, event) => {
    if (missing()) return;
    const { recordings } = await started(engine, { limitBytes: 100 });
    const live = await begun(recordings);
    for (let i = 0; i < 5; i++) await live.add([event]);
    await expect(live.add([event, event, event])).rejects.toThrow("100 bytes");
  });
});

/** A server that records lines and says which of them are kept. */
const recordingServer = (data: string) => `
  import { Ledger } from "${source("adapters/store/ledger.ts")}";
  import { openSigner } from "${source("adapters/store/signing-key.ts")}";
  import { openSqlite } from "${source("adapters/store/sqlite.ts")}";
  import { Recordings } from "${source("services/access/recordings.ts")}";
  const store = await openSqlite(${JSON.stringify(data)});
  const ledger = new Ledger(store, await openSigner(${JSON.stringify(data)}, "test.example/ledger"), Date.now);
  const recordings = new Recordings({ store, ledger, now: Date.now });
  await recordings.start();
  const { value: live } = await recordings.begin(${JSON.stringify(about)});
  for (let line = 0; ; line++) {
    await live.add([{ kind: "stdout", bytes: Buffer.from(line + "\\n") }]);
    console.log(line);
  }`;
const source = (path: string) => pathToFileURL(join(import.meta.dirname, "../../src", path)).href;

test("a server that is killed has kept every line that it acknowledged, and the next start seals them", async () => {
  const data = join(directory, `s${count++}`);
  const program = join(directory, "recording-server.mjs");
  await writeFile(program, recordingServer(data));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  let acknowledged = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === 50) child.kill("SIGKILL");
  }
  expect(acknowledged).toBeGreaterThanOrEqual(50);
  const store = await openSqlite(data);
  closing.push(() => store.close());
  const ledger = new Ledger(store, await openSigner(data, "test.example/ledger"), Date.now);
  const recordings = new Recordings({ store, ledger, now: Date.now });
  await recordings.start();
  const [recording] = await recordings.list();
  expect(recording).toMatchObject({ user: "alice", outcome: { interrupted: true } });
  expect(await recordings.verify(recording?.id ?? "")).toMatchObject({ ok: true });
  const lines = (await textOf(await recordings.output(recording?.id ?? "", bob))).trimEnd().split("\n").map(Number);
  expect(lines.slice(0, acknowledged + 1)).toEqual(Array.from({ length: acknowledged + 1 }, (_, i) => i));
  // One may have been kept and not acknowledged.
  expect(lines.length).toBeLessThanOrEqual(acknowledged + 2);
  expect((await verifyStoredLedger(store.reading, await keysOf(data), verifyEd25519)).problems).toEqual([]);
});

test("recordings go to another database with everything else, and still verify there", async ({ skip }) => {
  if (server === undefined) skip("PostgreSQL is not installed");
  const { store, recordings } = await started("sqlite");
  const live = await begun(recordings);
  for (let i = 0; i < 100; i++) await live.add([out(`part ${i} `)]);
  await live.end("done");
  const target = await openPostgres((await server?.create()) ?? "");
  closing.push(() => target.close());
  await copyStore(store, target);
  const ledger = new Ledger(target, await openSigner(directory, "test.example/ledger"), () => start);
  const there = new Recordings({ store: target, ledger, now: () => start });
  expect(await there.list()).toEqual(await recordings.list());
  expect(await there.verify(live.id)).toMatchObject({ ok: true });
});

describe("T28 the recorder fails", () => {
  /** Writes fail from now on, as on a full disk; the answer mends it. */
  async function breakWrites(store: Store): Promise<() => Promise<void>> {
    for (const table of ["recording_chunks", "recordings", "ledger_records"]) {
      await sql`create trigger ${sql.raw(`full_${table}`)} before insert on ${sql.table(table)} begin select raise(abort, 'disk full'); end`.execute(
        store.db,
      );
    }
    return async () => {
      for (const table of ["recording_chunks", "recordings", "ledger_records"]) {
        await sql`drop trigger ${sql.raw(`full_${table}`)}`.execute(store.db);
      }
    };
  }

  test("at the start: the session is not begun", async () => {
    const { store, recordings } = await started("sqlite");
    await breakWrites(store);
    expect(await recordings.begin(about)).toMatchObject({ ok: false, code: "RECORDER_UNAVAILABLE" });
  });

  test("in the middle: nothing more is shown, and what was is sealed once it can be", async () => {
    const { store, recordings } = await started("sqlite");
    const live = await begun(recordings);
    await live.add([out("seen")]);
    const mend = await breakWrites(store);
    await expect(live.add([out("unseen")])).rejects.toThrow("disk full");
    await expect(live.add([out("unseen")])).rejects.toThrow("disk full");
    await live.end("the session can no longer be recorded");
    expect(await recordings.list()).not.toMatchObject([{ outcome: {} }]);
    await recordings.maintain();
    expect(await recordings.list()).not.toMatchObject([{ outcome: {} }]);
    await mend();
    await recordings.maintain();
    expect(await recordings.list()).toMatchObject([{ outcome: { chunks: 1 } }]);
    expect(await recordings.verify(live.id)).toMatchObject({ ok: true });
    expect(await textOf(await recordings.output(live.id, bob))).toBe("seen");
  });

  test("where the switch says so, sessions go on, and the ledger says that they did", async () => {
    const { store, recordings } = await started("sqlite", { failOpen: true });
    const live = await begun(recordings);
    await live.add([out("seen")]);
    const mend = await breakWrites(store);
    await live.add([out("also seen")]);
    const second = await begun(recordings);
    await second.add([out("seen too")]);
    await second.end("done");
    await mend();
    await live.end("done");
    await recordings.close();
    const said = (await ledgerOf(store)).map(({ outcome, data }) => [data["recording"] === live.id ? 1 : 2, outcome]);
    expect(said.filter(([which]) => which === 1).map(([, outcome]) => outcome)).toEqual(["started", "unrecorded", "ended"]);
    expect(said.filter(([which]) => which === 2).map(([, outcome]) => outcome)).toEqual(["unrecorded", "ended"]);
    expect(await recordings.get(live.id)).toMatchObject({ outcome: { unrecorded: { why: expect.stringMatching("disk full") } } });
  });
});

test("T28 PostgreSQL goes away and comes back: the session is cut, and sealed when it can be", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const { recordings } = await started("postgres");
  const live = await begun(recordings);
  await live.add([out("seen")]);
  await server.crash();
  await expect(live.add([out("unseen")])).rejects.toThrow("can no longer be recorded");
  expect(await recordings.begin(about)).toMatchObject({ ok: false, code: "RECORDER_UNAVAILABLE" });
  await live.end("cut");
  await server.restart();
  await recordings.maintain();
  expect(await recordings.list()).toMatchObject([{ id: live.id, outcome: { why: "cut", chunks: 1 } }]);
  expect(await recordings.verify(live.id)).toMatchObject({ ok: true });
});
