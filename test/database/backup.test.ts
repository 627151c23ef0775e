import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyStore, ledgerSize } from "../../src/adapters/store/copy.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite, readSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let directory = "";
let server: RunningPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-backup-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const start = Date.UTC(2026, 0, 15);
const month = 31 * 86_400_000;

/** Appends 50 records at a time until it is told to end; answers how long its slowest append took, in milliseconds. */
async function writeUntil(ledger: Ledger, isOver: () => boolean): Promise<number> {
  let slowest = 0;
  for (let part = 0; !isOver(); part++) {
    const records = Array.from({ length: 50 }, (_, n) => ({
      kind: "audit.event" as const,
      at: start,
      cluster: "test",
      key: `${part}-${n}`,
      data: { n, text: "x".repeat(300) },
    }));
    const before = performance.now();
    await ledger.append(records);
    slowest = Math.max(slowest, performance.now() - before);
    await sleep(1);
  }
  return slowest;
}

const rowsOf = async (store: Store, limit: number) =>
  (await recordsFrom(store.reading, 0, limit)).map(({ seq, body }) => ({ seq, body }));

describe.each([
  ["sqlite", "sqlite"],
  ["sqlite", "postgres"],
  ["postgres", "sqlite"],
  ["postgres", "postgres"],
] as const)("%s to %s", (from, to) => {
  test("a copy made while records are written is a whole beginning of the ledger", async ({ skip }) => {
    if (server === undefined) return skip("PostgreSQL is not installed");
    const data = await mkdtemp(join(directory, "data-"));
    const urls = { from: await server.create(), to: await server.create() };
    const store = await (from === "sqlite" ? openSqlite(data) : openPostgres(urls.from));
    const ledger = new Ledger(store, await openSigner(data, "test.example/ledger"), () => start);
    let isOver = false;
    const writing = writeUntil(ledger, () => isOver);
    while ((await ledgerSize(store)) < 4000) await sleep(20);

    const source = await (from === "sqlite" ? readSqlite(data) : openPostgres(urls.from));
    const target = await (to === "sqlite" ? openSqlite(join(data, "copy")) : openPostgres(urls.to));
    const before = await ledgerSize(store);
    await copyStore(source, target);
    const after = await ledgerSize(store);
    isOver = true;
    // A server's statements fail after 10 seconds.
    expect(await writing).toBeLessThan(5000);

    const size = await ledgerSize(target);
    expect(size).toBeGreaterThanOrEqual(before);
    // There is no test where nothing was written meanwhile.
    expect(after).toBeGreaterThan(size);
    expect((await verifyStoredLedger(target.reading, await keysOf(data), verifyEd25519)).problems).toEqual([]);
    expect(await rowsOf(target, after)).toEqual(await rowsOf(store, size));
    for (const one of [source, target, store]) await one.close();
  });
});

test("a month begins while a copy reads: its first record does not wait for the copy", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const url = await server.create();
  const [store, reader] = [await openPostgres(url), await openPostgres(url)];
  let now = start;
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
  const record = { kind: "audit.event", at: start, cluster: "test", data: {} } as const;
  await ledger.append([record]);
  await reader.reading.transaction().execute(async (on) => {
    expect(await recordsFrom(on, 0, 10)).toHaveLength(1);
    now += month;
    const written = ledger.append([record]);
    expect(await Promise.race([written, sleep(5000, "waits")])).toEqual([{ seq: 1 }]);
  });
  for (const one of [store, reader]) await one.close();
});
