import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import type { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";
import { AccessWorld, ada, ask, bob, codeOf, minute, pod, session, used, value } from "./access-world.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let directory = "";
let server: RunningPostgres | undefined;
let here: AccessWorld;
let there: AccessWorld;
const desks: StoredAccessDesk[] = [];
const first = () => desks[0] ?? expect.fail("no desk");
const second = () => desks[1] ?? expect.fail("no desk");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-replicas-"));
  server = await startPostgres();
  if (server === undefined) return;
  const url = await server.create();
  here = await AccessWorld.on(await openPostgres(url), directory);
  there = await AccessWorld.on(await openPostgres(url), directory);
  desks.push(await here.desk(), await there.desk());
});
afterAll(async () => {
  await here?.close();
  await there?.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("two replicas on one PostgreSQL", () => {
  beforeEach(({ skip }) => {
    if (server === undefined) skip("PostgreSQL is not installed");
  });

  const approved = async (name: string) => {
    const { id } = value(await first().open(ask(ada, pod({ name }))));
    value(await second().decide(id, bob, "approve", "", "cli"));
    return id;
  };

  test("T35 both use one grant: exactly one wins, thirty times", async () => {
    for (let n = 0; n < 30; n++) {
      await approved(`p${n}`);
      const uses = await Promise.all(desks.map((desk) => desk.use(ada, pod({ name: `p${n}` }))));
      expect(uses.filter((use) => use !== undefined)).toHaveLength(1);
    }
    expect(await here.problems()).toEqual([]);
  });

  test("one approves and one denies at once: one decision stands, and both tell it", async () => {
    for (let n = 0; n < 10; n++) {
      const { id } = value(await first().open(ask(ada, pod({ name: `d${n}` }))));
      const eve = { ...bob, human: "eve", subject: "eve", user: "eve" };
      const decisions = [first().decide(id, bob, "approve", "", "cli"), second().decide(id, eve, "deny", "", "cli")];
      const outcomes = (await Promise.all(decisions)).map(codeOf).sort();
      expect(outcomes).toEqual(["ACCESS_DECIDED", "ok"]);
      expect(await first().get(id)).toEqual(await second().get(id));
    }
  });

  test("T45 T49 what one revokes or locks, the other refuses at once and tells", async () => {
    const { id } = value(await first().open(session(minute)));
    value(await first().decide(id, bob, "approve", "", "cli"));
    let told = 0;
    const stop = second().onChange((request) => {
      if (request.id === id && request.phase === "ended") told++;
    });
    const use = await used(second().use(ada, pod()));
    value(await first().revoke(id, bob, "over"));
    expect(codeOf(await use.sent())).toBe("ACCESS_ENDED");
    expect(await second().use(ada, pod())).toBeUndefined();
    await expect.poll(() => told, { timeout: 5000 }).toBe(1);
    stop();

    const other = await approved("locked");
    await first().lock("ada", bob, "stolen");
    expect(await second().use(ada, pod({ name: "locked" }))).toBeUndefined();
    await expect.poll(() => second().isLocked("ada"), { timeout: 5000 }).toBe(true);
    // Whichever replica has heard of both ends it.
    await expect.poll(async () => (await second().get(other))?.ended?.why, { timeout: 5000 }).toBe("the requester is locked out");
    await second().unlock("ada", bob);
    await expect.poll(() => first().isLocked("ada"), { timeout: 5000 }).toBe(false);
  });

  test("changes that nobody announced are found all the same", async () => {
    const { id } = value(await first().open(ask(ada, pod({ name: "lost" }))));
    const settled = second().settled(id, here.wall + minute);
    // The connections that hear announcements are ended; those of a proxy that drops them would only be silent.
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'castellan-listen'`.execute(
      here.store.db,
    );
    value(await first().decide(id, bob, "deny", "", "cli"));
    expect((await settled)?.phase).toBe("denied");
  });

  test("a replica whose clock is behind gives no more time than the one ahead has seen", async () => {
    const id = await approved("skew");
    here.pass(9 * minute);
    const use = await used(first().use(ada, pod({ name: "skew" })));
    await use.returned("not sent");
    expect((await second().get(id))?.seen).toBe(here.wall);
    here.pass(minute);
    expect(await first().use(ada, pod({ name: "skew" }))).toBeUndefined();
    await expect.poll(async () => (await second().get(id))?.phase, { timeout: 2000 }).toBe("ended");
    there.pass(10 * minute);
  });

  test("T65 without the database nothing is asked for, decided or used; with it all goes on", async () => {
    const granted = await approved("crash");
    const pending = value(await first().open(ask(ada, pod({ name: "pending" }))));
    const use = await used(first().use(ada, pod({ name: "crash" })));
    value(await use.sent());
    await server?.crash();
    expect(codeOf(await first().open(ask(ada, pod({ name: "new" }))))).toBe("ACCESS_UNAVAILABLE");
    expect(codeOf(await second().decide(pending.id, bob, "approve", "", "cli"))).toBe("ACCESS_UNAVAILABLE");
    expect(codeOf(await second().revoke(pending.id, bob, ""))).toBe("ACCESS_UNAVAILABLE");
    expect(await second().use(ada, pod({ name: "crash" }))).toBeUndefined();
    expect(await second().exceptions("prod")).toEqual([]);
    await expect(second().get(granted)).rejects.toThrow();
    const settled = second().settled(pending.id, there.wall + minute);
    // What was done while the database was away is reported once it is back.
    const reported = use.done(200);
    await server?.restart();
    await reported;
    expect(await second().get(granted)).toMatchObject({ phase: "ended", grant: { use: "done" } });
    value(await first().decide(pending.id, bob, "approve", "", "cli"));
    expect((await settled)?.phase).toBe("granted");
    expect(here.troubles.length).toBeGreaterThan(0);
    expect(await here.problems()).toEqual([]);
  });
});
