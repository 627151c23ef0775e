import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  readChatLink,
  renewChatLinks,
  takeChatCode,
  takeNonce,
  writeChatCode,
  writeChatLink,
} from "../../src/adapters/store/chat-links.ts";
import {
  enqueue,
  forgetSent,
  lease,
  markFailed,
  markSent,
  readNotifications,
  reviveDead,
} from "../../src/adapters/store/outbox.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let directory = "";
let server: RunningPostgres | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-outbox-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const now = Date.UTC(2026, 10, 21, 22);
const minute = 60_000;
const message = (id: string, target = "hook") => ({ id, request: `r-${id}`, event: "opened", target, payload: "{}" });

describe.each(["sqlite", "postgres"] as const)("messages that wait, on %s", (engine) => {
  /** As replicas have it: on PostgreSQL each its own connections. */
  let stores: Store[] = [];

  beforeEach(async ({ skip }) => {
    if (engine === "postgres" && server === undefined) return skip("PostgreSQL is not installed");
    const url = await server?.create();
    const first = engine === "sqlite" ? await openSqlite(await mkdtemp(join(directory, "s-"))) : await openPostgres(url ?? "");
    stores = [first, engine === "sqlite" ? first : await openPostgres(url ?? "")];
  });
  afterEach(async () => {
    for (const store of new Set(stores)) await store.close();
    stores = [];
  });

  const db = (replica = 0) => {
    const store = stores[replica];
    if (store === undefined) throw new Error("no store");
    return store.db;
  };
  const leased = async (at: number, replica = 0) =>
    (await lease(db(replica), { now: at, until: at + minute, limit: 50 })).map(({ id }) => id);

  test("one message for each event and target, however many replicas say it", async () => {
    const messages = Array.from({ length: 30 }, (_, i) => message(`m${i}`));
    // Each names its messages by itself.
    const saidBy = (n: number) => messages.map((one) => ({ ...one, id: `${n}-${one.id}` }));
    const news = await Promise.all([0, 1, 0, 1].map((replica, n) => enqueue(db(replica), saidBy(n), now)));
    expect(news.reduce((sum, one) => sum + one, 0)).toBe(30);
    expect(await enqueue(db(), [message("m0")], now)).toBe(0);
    expect(await enqueue(db(), [{ ...message("m0"), id: "other", target: "mail" }], now)).toBe(1);
  });

  test("each message is sent by one replica, though all ask at once", async () => {
    await enqueue(
      db(),
      Array.from({ length: 40 }, (_, i) => message(`m${i}`)),
      now,
    );
    const taken = (await Promise.all([0, 1, 0, 1, 0, 1].map((replica) => leased(now, replica)))).flat();
    expect(taken).toHaveLength(40);
    expect(new Set(taken).size).toBe(40);
  });

  test("what a replica that died had taken is taken again, once its time is over", async () => {
    await enqueue(db(), [message("a")], now);
    expect(await leased(now)).toEqual(["a"]);
    expect(await leased(now + minute - 1, 1)).toEqual([]);
    expect(await leased(now + minute, 1)).toEqual(["a"]);
    expect(await readNotifications(db(), { limit: 10 })).toMatchObject([{ attempts: 2, state: "pending" }]);
  });

  test("sent, failed, given up, sent again", async () => {
    await enqueue(db(), [message("a"), message("b")], now);
    await leased(now);
    await markSent(db(), "a", now + 1);
    await markFailed(db(), "b", "it answered 500", now + minute);
    expect(await leased(now + minute - 1)).toEqual([]);
    expect(await leased(now + minute)).toEqual(["b"]);
    await markFailed(db(), "b", "it answered 400", undefined);
    expect(await readNotifications(db(), { state: "dead", limit: 10 })).toMatchObject([{ id: "b", problem: "it answered 400" }]);
    expect(await reviveDead(db(), "a", now)).toBe(false);
    expect(await reviveDead(db(), "b", now + 2 * minute)).toBe(true);
    expect(await leased(now + 2 * minute)).toEqual(["b"]);
    await forgetSent(db(), now + 1);
    expect((await readNotifications(db(), { limit: 10 })).map(({ id }) => id).sort()).toEqual(["a", "b"]);
    await forgetSent(db(), now + 2);
    expect((await readNotifications(db(), { limit: 10 })).map(({ id }) => id)).toEqual(["b"]);
  });

  test("of many who show one nonce or one code at once, one is the first", async () => {
    const first = await Promise.all(Array.from({ length: 10 }, (_, i) => takeNonce(db(i % 2), "n", now + minute, now)));
    expect(first.filter((one) => one)).toHaveLength(1);
    expect(await takeNonce(db(), "n", now + 2 * minute, now + minute)).toBe(true);
    await writeChatCode(
      db(),
      { digest: "d", chat: "slack", team: "T", chat_user: "U", chat_name: "u", expires: now + minute },
      now,
    );
    const taken = await Promise.all(Array.from({ length: 10 }, (_, i) => takeChatCode(db(i % 2), "d", now)));
    expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
    await writeChatCode(
      db(),
      { digest: "e", chat: "slack", team: "T", chat_user: "U", chat_name: "u", expires: now + minute },
      now,
    );
    expect(await takeChatCode(db(), "e", now + minute)).toBeUndefined();
  });

  test("a link is the last one made, and renewed for all of a person's users, never backwards", async () => {
    const row = { chat: "slack", team: "T", chat_user: "U", issuer: "i", subject: "s", person: "old", linked: now, renewed: now };
    const of = { chat: "slack", team: "T", user: "U" } as const;
    await writeChatLink(db(), { ...row, subject: "other" });
    await writeChatLink(db(), row);
    await renewChatLinks(db(1), { issuer: "i", subject: "s", person: "new", renewed: now + 5 });
    await renewChatLinks(db(), { issuer: "i", subject: "s", person: "older", renewed: now + 1 });
    await renewChatLinks(db(), { issuer: "i", subject: "other", person: "another", renewed: now + 9 });
    expect(await readChatLink(db(), of)).toMatchObject({ subject: "s", person: "new", renewed: now + 5 });
  });
});
