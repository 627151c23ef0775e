import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { CallRecords } from "../../src/services/access/call-records.ts";
import { AccessWorld, ada, ask, bob, codeOf, pod, value } from "./access-world.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-silent-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.thaw().catch(() => {});
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A database whose connections stand and from which nothing comes back, as behind a network that swallows packets. */
async function silently<T>(running: RunningPostgres, work: () => Promise<T>): Promise<T> {
  await running.freeze();
  try {
    return await work();
  } finally {
    await running.thaw();
  }
}

const answerMilliseconds = 1000;

test("a database that says nothing fails what was asked, and serves again once it speaks", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const running = server;
  const store = await openPostgres(await running.create(), { answerMilliseconds });
  try {
    await store.db.transaction().execute(async (on) => {
      await sql`select 1`.execute(on);
    });
    await silently(running, async () => {
      const asked = Array.from({ length: 12 }, () => sql`select 1`.execute(store.db));
      const inside = store.db.transaction().execute((on) => sql`select 1`.execute(on));
      for (const one of [...asked, inside]) await expect(one).rejects.toThrow();
    });
    expect((await sql<{ two: number }>`select 2 as two`.execute(store.db)).rows).toEqual([{ two: 2 }]);
    // What takes too long there is ended there, and keeps nothing locked.
    await expect(sql`select pg_sleep(30)`.execute(store.db)).rejects.toThrow(/statement timeout|did not answer|terminated/);
    expect((await sql<{ three: number }>`select 3 as three`.execute(store.db)).rows).toEqual([{ three: 3 }]);
  } finally {
    await store.close();
  }
});

test("meanwhile records of reads wait in a file, and all else is refused; nothing is lost", async ({ skip }) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const running = server;
  const store: Store = await openPostgres(await running.create(), { answerMilliseconds });
  const world = await AccessWorld.on(store, directory);
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => world.wall);
  const troubles: unknown[] = [];
  const records = new CallRecords({ ledger, directory, trouble: (error) => troubles.push(error), gatherMilliseconds: 50 });
  await records.start();
  const read = (n: number) => ({ kind: "access.call", at: world.wall, cluster: "prod", key: `read/${n}`, data: { n } }) as const;
  try {
    const desk = await world.desk();
    const granted = value(await desk.open(ask()));
    value(await desk.decide(granted.id, bob, "approve", "", "cli"));
    await silently(running, async () => {
      for (let n = 0; n < 20; n++) records.note(read(n));
      const refused = await Promise.all([
        desk.open(ask(ada, pod({ name: "other" }))),
        desk.decide(granted.id, bob, "deny", "", "cli"),
        desk.revoke(granted.id, bob, "over"),
      ]);
      expect(refused.slice(0, 1).map(codeOf)).toEqual(["ACCESS_UNAVAILABLE"]);
      expect(refused.every(({ ok }) => !ok)).toBe(true);
      expect(await desk.use(ada, pod())).toBeUndefined();
      await expect(records.keep(read(100))).rejects.toThrow();
      for (let tries = 0; records.spooledBytes === 0 && tries < 200; tries++) await sleep(50);
      expect(records.spooledBytes).toBeGreaterThan(0);
      expect(records.accepts).toBe(true);
    });
    for (let tries = 0; records.spooledBytes > 0 && tries < 400; tries++) await sleep(50);
    expect(records.spooledBytes).toBe(0);
    expect(await desk.use(ada, pod())).toBeDefined();
    const kept = (await world.records()).filter(({ kind }) => kind === "access.call").map(({ data }) => JSON.stringify(data));
    for (let n = 0; n < 20; n++) expect(kept.filter((data) => data === JSON.stringify({ n }))).toHaveLength(1);
    expect(await world.problems()).toEqual([]);
  } finally {
    await records.close();
    await ledger.close();
    await world.close();
  }
});
