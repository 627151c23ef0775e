import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { person } from "../../src/access/machine/people.testing.ts";
import type { Person } from "../../src/access/person.ts";
import { accessRules, compileAccessRules } from "../../src/access/rules/access-rules.ts";
import { compileDirectory } from "../../src/access/rules/directory.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { StoredOauthRecords } from "../../src/adapters/store/oauth-records.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import { askAddress, type ServerAnswer, type ServerQuestion } from "../../src/cli/api-client.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { type AccessApi, addAccessRoutes } from "../../src/server/api/access-routes.ts";
import { type Api, createApi } from "../../src/server/api/api.ts";
import type { Role } from "../../src/server/api/roles.ts";
import { Sessions } from "../../src/server/api/session.ts";
import { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";

export const people = {
  ada: person("ada", ["dev"], { email: "ada@example.com", displayName: "Ada" }),
  bob: person("bob", ["oncall"], { email: "bob@example.com" }),
  eve: person("eve", ["security"]),
  mal: person("mal", ["strangers"]),
  odo: person("odo", ["audit"]),
  root: person("root", []),
} as const;
export type Name = keyof typeof people;
const roles: { readonly [name in Name]?: readonly Role[] } = { odo: ["auditor"], root: ["admin"] };

const rules = `
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: pods}
spec:
  requesters: {groups: [dev]}
  verbs: [delete, patch, update]
  resources: [{apiGroups: ["", apps], resources: [pods, configmaps, secrets, deployments/scale]}]
  namespaces: [ml]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  pendingTimeout: 5m
  approvals: [{from: ["group:oncall"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: sessions}
spec:
  requesters: {groups: [dev]}
  asks: [session]
  namespaces: [ml]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 1h
  approvals: [{from: ["group:security"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: emergency}
spec:
  requesters: {groups: [dev]}
  asks: [session]
  namespaces: [ml]
  role: {kind: ClusterRole, name: admin}
  maxDuration: 1h
  breakGlass: true
  approvals: [{from: ["group:security"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: exceptions}
spec:
  requesters: {groups: [dev]}
  asks: [exception]
  policies: ["*"]
  maxDuration: 720h
  approvals: [{from: ["group:oncall"]}]
`;

/** Desks, each as a replica of its own, over one database with its clock. */
export interface DeskWorld {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly directory: string;
  readonly clock: { now: number };
  readonly troubles: unknown[];
  desk(): Promise<StoredAccessDesk>;
  close(): Promise<void>;
}

export async function openDeskWorld(): Promise<DeskWorld> {
  const directory = await mkdtemp(join(tmpdir(), "castellan-desk-"));
  const clock = { now: Date.now() };
  const store = await openSqlite(directory);
  const ledger = new Ledger(store, await openSigner(directory, "castellan/ledger"), () => clock.now);
  const desks: StoredAccessDesk[] = [];
  const troubles: unknown[] = [];
  const known = compileDirectory([]);
  if (!known.ok) throw new Error("an empty directory is one");
  const lookup = { directory: known.value, schedules: new Map(), onCall: () => [] };
  const compiled = compileAccessRules(parseDocuments(rules, "rules.yaml").documents, lookup);
  if (!compiled.ok || compiled.diagnostics.length > 0) throw new Error(JSON.stringify(compiled.diagnostics));
  const inForce = accessRules(compiled.value, lookup);
  return {
    store,
    ledger,
    directory,
    clock,
    troubles,
    desk: async () => {
      const onTrouble = (error: unknown) => troubles.push(error);
      const desk = new StoredAccessDesk({
        store,
        ledger,
        rules: () => inForce,
        cluster: "prod",
        now: () => clock.now,
        onTrouble,
      });
      desks.push(desk);
      await desk.start();
      return desk;
    },
    close: async () => {
      for (const desk of desks) await desk.close();
      await ledger.close();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface DeskServer {
  readonly origin: string;
  readonly api: Api;
  readonly desk: StoredAccessDesk;
  readonly sessions: Sessions;
  tokenOf(name: Name): string;
  ask(name: Name, question: ServerQuestion): Promise<ServerAnswer>;
  get(name: Name, path: string): Promise<ServerAnswer>;
  post(name: Name, path: string, body?: JsonObject): Promise<ServerAnswer>;
  close(): Promise<void>;
}

/** The API of access on a port of this machine; `routes` adds what a test needs beside requests. */
export async function startDeskServer(
  world: DeskWorld,
  { routes, ...more }: Partial<AccessApi> & { readonly routes?: (api: Api, desk: StoredAccessDesk) => void } = {},
): Promise<DeskServer> {
  const desk = await world.desk();
  const sessions = new Sessions({
    hosts: ["127.0.0.1"],
    records: new StoredOauthRecords(world.store.db, () => world.clock.now),
    secret: randomBytes(32),
    settings: "",
    now: () => world.clock.now,
    lifetime: 3_600_000,
  });
  const api = await createApi({
    version: "0.0.0",
    pages: undefined,
    sessions,
    secure: false,
    waitingFor: () => [],
    metrics: async () => [],
    onError: (error) => world.troubles.push(error),
  });
  addAccessRoutes(api, {
    desk,
    clusters: () => ["prod"],
    lookAtCall: async () => ({ ok: true, value: { pinned: { uid: "u1", digest: "d1" }, guardrails: [] } }),
    risk: () => undefined,
    now: () => world.clock.now,
    ...more,
  });
  routes?.(api, desk);
  const origin = await api.listen({ host: "127.0.0.1", port: 0 });
  const tokens = new Map<Name, string>();
  const tokenOf = (name: Name): string => {
    const one = tokens.get(name) ?? sessions.issueToken(userOf(name));
    tokens.set(name, one);
    return one;
  };
  const ask = (name: Name, question: ServerQuestion) => askAddress({ url: origin, token: tokenOf(name) }, question);
  return {
    origin,
    api,
    desk,
    sessions,
    tokenOf,
    ask,
    get: (name, path) => ask(name, { method: "GET", path }),
    post: (name, path, body = {}) => ask(name, { method: "POST", path, body }),
    close: () => api.close(),
  };
}

export function userOf(name: Name) {
  const known: Person = people[name];
  return { name: known.user, groups: known.groups, roles: roles[name] ?? [], person: known };
}

/** What somebody asks for who wants to delete a pod. */
export const deletePod = (name = "web-0"): JsonObject => ({
  type: "action",
  method: "DELETE",
  target: `/api/v1/namespaces/ml/pods/${name}`,
  contentType: "application/json",
  body: Buffer.from('{"propagationPolicy":"Background"}\n').toString("base64"),
});

export const requestsPath = "/api/v1/access/requests";
