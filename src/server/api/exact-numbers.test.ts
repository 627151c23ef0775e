import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { StoredOauthRecords } from "../../adapters/store/oauth-records.ts";
import { openSqlite } from "../../adapters/store/sqlite.ts";
import { createApi, typed } from "./api.ts";
import { Sessions } from "./session.ts";

test("answers keep the digits of 64-bit integers, and nothing that their schema does not name", async () => {
  const directory = await mkdtemp(join(tmpdir(), "castellan-numbers-"));
  const store = await openSqlite(directory);
  const now = () => 0;
  const records = new StoredOauthRecords(store.db, now);
  const sessions = new Sessions({ hosts: ["127.0.0.1"], records, secret: randomBytes(32), settings: "", now, lifetime: 1000 });
  const api = await createApi({
    version: "0.0.0",
    pages: undefined,
    sessions,
    secure: false,
    waitingFor: () => [],
    metrics: async () => [],
    onError: () => {},
  });
  const response = { 200: z.object({ object: z.unknown(), seq: z.number() }) };
  typed(api).get("/api/v1/try", { schema: { response } }, async () => {
    return { object: { bytes: 9_007_199_254_740_993n }, seq: 1, secret: "s" };
  });
  const token = sessions.issueToken({ name: "ada", groups: [], roles: ["viewer"] });
  const origin = await api.listen({ host: "127.0.0.1", port: 0 });
  const answer = await fetch(`${origin}/api/v1/try`, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.text()).toBe('{"object":{"bytes":9007199254740993},"seq":1}');
  await api.close();
  await store.close();
  await rm(directory, { recursive: true });
});
