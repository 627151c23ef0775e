import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyStore } from "../../src/adapters/store/copy.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { AccessWorld, ada, ask, bob, codeOf, pod, used, value } from "./access-world.ts";
import { startPostgres } from "./postgres.ts";

test("requests, grants and locks move to another store and go on there", async ({ skip }) => {
  const directory = await mkdtemp(join(tmpdir(), "castellan-access-copy-"));
  const server = await startPostgres();
  if (server === undefined) return skip("PostgreSQL is not installed");
  const embedded = await AccessWorld.on(await openSqlite(join(directory, "a")), directory);
  const first = await embedded.desk();
  const granted = value(await first.open(ask()));
  value(await first.decide(granted.id, bob, "approve", "", "cli"));
  const pending = value(await first.open(ask(ada, pod({ name: "q" }))));
  await first.lock("mallory", bob, "stolen");

  const shared = await AccessWorld.on(await openPostgres(await server.create()), directory);
  await copyStore(embedded.store, shared.store);
  const moved = await shared.desk();
  expect(await moved.get(pending.id)).toEqual(await first.get(pending.id));
  expect(moved.isLocked("mallory")).toBe(true);
  value(await moved.decide(pending.id, bob, "approve", "", "cli"));
  expect(codeOf(await (await used(moved.use(ada, pod()))).sent())).toBe("ok");
  expect(await shared.problems()).toEqual([]);

  const back = await AccessWorld.on(await openSqlite(join(directory, "b")), directory);
  await copyStore(shared.store, back.store);
  expect(await (await back.desk()).get(granted.id)).toMatchObject({ phase: "granted", grant: { use: "sent" } });
  for (const world of [embedded, shared, back]) await world.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});
