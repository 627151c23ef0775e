import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import type { NewRecord } from "../../src/adapters/store/ledger-batch.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Drift } from "../../src/services/drift/find-drift.ts";
import { lastChange, ledgerClusters } from "../../src/services/drift/last-change.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-last-change-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const at = Date.UTC(2026, 10, 20, 10);

const change = (actor: string, verb: string, more: Partial<NewRecord> = {}, data: JsonObject = {}): NewRecord => ({
  kind: "audit.event",
  at,
  cluster: "prod",
  actor,
  verb,
  group: "rbac.authorization.k8s.io",
  resource: "roles",
  namespace: "a",
  name: "reader",
  outcome: "200",
  data,
  ...more,
});

const resource = { group: "rbac.authorization.k8s.io", version: "v1", kind: "Role", namespace: "a", name: "reader" };
const object = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" };
const served = { ...resource, resource: "roles", namespaced: true, verbs: [], subresources: [] };
const live: Drift = { type: "undeclared", resource, served, live: object, kept: undefined };
const missing: Drift = { type: "missing", resource, served, isServed: true, desired: object };

interface Case {
  readonly drift: Drift;
  /** In the order in which the ledger took them. */
  readonly records: readonly NewRecord[];
  /** `verb by actor`; undefined: nobody is named. */
  readonly told: string | undefined;
}

const cases: { readonly [name: string]: Case } = {
  "the newest of several": { drift: live, records: [change("ada", "create"), change("bob", "patch")], told: "patch by bob" },
  "another cluster's": {
    drift: live,
    records: [change("ada", "create"), change("trent", "patch", { cluster: "staging" })],
    told: "create by ada",
  },
  "only another cluster's": { drift: live, records: [change("trent", "patch", { cluster: "production" })], told: undefined },
  "another namespace's, name's, kind's": {
    drift: live,
    records: [
      change("a", "patch", { namespace: "b" }),
      change("b", "patch", { name: "other" }),
      change("c", "patch", { resource: "rolebindings" }),
    ],
    told: undefined,
  },
  "a dry run by its address": {
    drift: live,
    records: [change("ada", "create"), change("bob", "patch", {}, { requestURI: "/apis/x?fieldManager=m&dryRun=All" })],
    told: "create by ada",
  },
  "a dry run by its options": {
    drift: missing,
    records: [
      change("ada", "create"),
      change("bob", "delete", {}, { requestObject: { kind: "DeleteOptions", dryRun: ["All"] } }),
    ],
    told: "create by ada",
  },
  "what was refused, and what was read": {
    drift: live,
    records: [change("ada", "create"), change("bob", "patch", { outcome: "403" }), change("eve", "get")],
    told: "create by ada",
  },
  "a deletion of what is there again": {
    drift: live,
    records: [change("ada", "create"), change("bob", "delete")],
    told: "create by ada",
  },
  "a deletion of what is gone": {
    drift: missing,
    records: [change("ada", "create"), change("bob", "delete")],
    told: "delete by bob",
  },
  "all of a kind deleted": {
    drift: missing,
    records: [change("ada", "create"), change("bob", "deletecollection", { name: undefined })],
    told: "deletecollection by bob",
  },
  "a decision at admission": {
    drift: live,
    records: [change("ada", "update", { kind: "admission.decision", outcome: "allow" })],
    told: "update by ada",
  },
  "a denial at admission": {
    drift: live,
    records: [change("ada", "update", { kind: "admission.decision", outcome: "deny" })],
    told: undefined,
  },
};

describe.each(["sqlite", "postgres"])("who changed an object last, %s", (engine) => {
  test.each(Object.entries(cases))("%s", async (_name, { drift, records, told }) => {
    const own = await mkdtemp(join(directory, "l-"));
    const store = engine === "sqlite" ? await openSqlite(own) : await openPostgres((await server?.create()) ?? "");
    const ledger = new Ledger(store, await openSigner(own, "test.example/ledger"), () => at);
    for (const record of records) await ledger.append([record]);
    const last = await lastChange(store.reading, ["prod"], drift);
    expect(last && `${last.verb} by ${last.actor}`).toBe(told);
    expect(await ledgerClusters(store.reading)).toEqual([...new Set(records.map(({ cluster }) => cluster))].sort());
    await ledger.close();
    await store.close();
  });
});
