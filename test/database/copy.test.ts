import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyStore } from "../../src/adapters/store/copy.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { ledgerHashes, sha256 } from "../../src/adapters/store/ledger-hashes.ts";
import { inclusionProof, latestCheckpoint, recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { verifyStoredLedger } from "../../src/adapters/store/ledger-verification.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { pruneLedger } from "../../src/adapters/store/retention.ts";
import { keysOf, openSigner, verifyEd25519 } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { readCheckpoint } from "../../src/ledger/checkpoint.ts";
import { verifyInclusion } from "../../src/ledger/proof.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let directory = "";
let server: RunningPostgres | undefined;
const opened: Store[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-copy-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const store of opened) await store.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function openNew(engine: "sqlite" | "postgres"): Promise<Store> {
  const store = await (engine === "sqlite"
    ? openSqlite(await mkdtemp(join(directory, "s-")))
    : openPostgres((await server?.create()) ?? ""));
  opened.push(store);
  return store;
}

const month = 31 * 86_400_000;
const start = Date.UTC(2026, 0, 15);

/** 900 records in three months, 300 each. */
async function fill(store: Store) {
  let now = start;
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
  for (let part = 0; part < 3; part++) {
    const records = Array.from({ length: 300 }, (_, n) => ({
      kind: "audit.event" as const,
      at: now,
      cluster: "test",
      key: `${part}-${n}`,
      data: { n },
    }));
    await ledger.append(records);
    now += month;
  }
  return ledger;
}

const rowsOf = async (store: Store) =>
  (await recordsFrom(store.reading, 0, 2000)).map((row) => ({ ...row, leaf: Buffer.from(row.leaf).toString("hex") }));
const problems = async (store: Store) =>
  (await verifyStoredLedger(store.reading, await keysOf(directory), verifyEd25519)).problems;

describe.each([
  ["sqlite", "postgres"],
  ["postgres", "sqlite"],
] as const)("%s to %s", (from, to) => {
  test("a copy is the same ledger, goes on, and is not made over another", async ({ skip }) => {
    if (server === undefined) return skip("PostgreSQL is not installed");
    const source = await openNew(from);
    await fill(source);
    const target = await openNew(to);
    expect(await copyStore(source, target)).toBe(900 + 900 + 3 + 3 + 1);
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
    expect(await problems(target)).toEqual([]);
    const ledger = new Ledger(target, await openSigner(directory, "test.example/ledger"), () => start);
    expect(await ledger.append([{ kind: "audit.event", at: 0, cluster: "test", key: "0-0", data: {} }])).toEqual([undefined]);
    await ledger.append([{ kind: "audit.event", at: 0, cluster: "test", data: {} }]);
    expect(await problems(target)).toEqual([]);
    await expect(copyStore(source, target)).rejects.toMatchObject({ code: "STORE_NOT_EMPTY" });
  });
});

describe.each(["sqlite", "postgres"] as const)("retention on %s", (engine) => {
  test("old records go in whole blocks; the rest still proves itself", async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const store = await openNew(engine);
    const ledger = await fill(store);
    expect(await pruneLedger(store, ledger, start, start)).toEqual({ removed: 0, first: 0 });
    expect(await pruneLedger(store, ledger, start + 1.5 * month, start)).toEqual({ removed: 512, first: 512 });
    expect((await recordsFrom(store.reading, 0, 1))[0]?.seq).toBe(512);
    const [said] = await recordsFrom(store.reading, 900, 1);
    expect(JSON.parse(said?.body ?? "")).toMatchObject({ verb: "prune", data: { first: 512, removed: 512 } });
    expect(await problems(store)).toEqual([]);
    await ledger.append([{ kind: "server.event", at: 0, cluster: "test", data: {} }]);
    expect(await problems(store)).toEqual([]);
    const checkpoint = await latestCheckpoint(store.reading);
    const reading = readCheckpoint(sha256, verifyEd25519, await keysOf(directory), checkpoint?.note ?? "");
    if (!reading.ok) throw new Error(reading.reason);
    for (const index of [512, 767, 800, 901]) {
      const [row] = await recordsFrom(store.reading, index, 1);
      const leaf = ledgerHashes.leafOfText(row?.body ?? "");
      const proof = await inclusionProof(store.reading, index, reading.head.size);
      expect(verifyInclusion(ledgerHashes, { leaf, index, ...reading.head }, proof)).toBe(true);
    }
    await store.db.deleteFrom("ledger_records").where("seq", "=", 512).execute();
    expect((await problems(store)).map((problem) => problem.code)).toContain("RECORD_MISSING");
  });
});
