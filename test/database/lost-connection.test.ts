import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

test("a database that goes away between two statements of a transaction ends the transaction, not the process", async ({
  skip,
}) => {
  if (server === undefined) return skip("PostgreSQL is not installed");
  const running = server;
  const store = await openPostgres(await running.create());
  const transaction = store.db.transaction().execute(async (on) => {
    await sql`select 1`.execute(on);
    await running.crash();
    // No statement is under way while the connection ends: an error without a listener would be uncaught here.
    await sleep(300);
    await sql`select 2`.execute(on);
  });
  await expect(transaction).rejects.toThrow();
  await running.restart();
  expect((await sql<{ two: number }>`select 2 as two`.execute(store.db)).rows).toEqual([{ two: 2 }]);
  await store.close();
});
