import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoredOauthRecords } from "../../adapters/store/oauth-records.ts";
import { openSqlite } from "../../adapters/store/sqlite.ts";
import type { Store } from "../../adapters/store/store.ts";
import { lockedOut } from "../../services/access/identity-authenticator.ts";
import { type ApiOptions, createApi } from "./api.ts";
import { Sessions } from "./session.ts";

let directory = "";
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-sessions-"));
  store = await openSqlite(directory);
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const refusedName = { ok: false, status: 403, code: "IDENTITY_NAME_REFUSED", message: "no such name" } as const;
const unchecked = { ok: false, status: 503, code: "IDENTITY_UNCHECKED", message: "nobody answers" } as const;

test.each([
  ["ended at the other, too, where the identity provider's newest word is not let in", refusedName, 401],
  ["there again once it is unlocked", lockedOut, 200],
  ["there where the identity provider could not be asked", unchecked, 200],
])("a session that one replica refuses is %s", async (_, refusal, atTheOther) => {
  const now = () => 0;
  const records = new StoredOauthRecords(store.db, now);
  const secret = randomBytes(32);
  const replica = async (renewed?: ApiOptions["renewed"]) => {
    const sessions = new Sessions({ hosts: ["127.0.0.1"], records, secret, settings: "", now, lifetime: 1000 });
    const parts = { waitingFor: () => [], metrics: async () => [], onError: () => {} };
    const api = await createApi({ version: "0.0.0", pages: undefined, sessions, secure: false, ...parts, renewed });
    api.get("/api/v1/try", async () => "");
    return { sessions, api };
  };
  const [one, two] = [await replica(async () => refusal), await replica()];
  const { token } = await one.sessions.start({ name: "vera", groups: [], roles: ["viewer"] });
  const asked = {
    method: "GET",
    url: "/api/v1/try",
    headers: { host: "127.0.0.1" },
    cookies: { castellan_session: token },
  } as const;
  expect((await one.api.inject(asked)).statusCode).toBe(refusal.status);
  expect((await two.api.inject(asked)).statusCode).toBe(atTheOther);
  await Promise.all([one, two].map(({ api }) => api.close()));
});
