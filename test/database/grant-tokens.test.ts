import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectDigest } from "../../src/access/digest.ts";
import { person } from "../../src/access/machine/people.testing.ts";
import type { AccessRequest } from "../../src/access/request.ts";
import type { RequestedAction } from "../../src/access/requested-action.ts";
import { sharedKey, spendToken } from "../../src/adapters/store/grant-tokens.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openPostgres } from "../../src/adapters/store/postgres.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import type { Store } from "../../src/adapters/store/store.ts";
import type { Action } from "../../src/core/action.ts";
import { apiResources } from "../../src/core/api-resources.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { KubernetesObject } from "../../src/core/kubernetes.ts";
import { documentOf } from "../../src/core/schedule/schedule.testing.ts";
import { AdmissionApprovals } from "../../src/services/access/admission-approvals.ts";
import { grantExtraKey, openGrant, sealGrant } from "../../src/services/access/guardrail-grant.ts";
import { LiveExceptions } from "../../src/services/access/live-exceptions.ts";
import { sealedDigest } from "../../src/services/access/sealed-digest.ts";
import { Admission } from "../../src/services/admission/admit.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { deletePods, pod, rulesOf, start } from "./access-world.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

let server: RunningPostgres | undefined;
let directory = "";
const open: Store[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-grants-"));
  server = await startPostgres();
});
afterAll(async () => {
  for (const store of open) await store.close();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
async function storeOf(engine: "sqlite" | "postgres"): Promise<Store | undefined> {
  if (engine === "postgres" && server === undefined) return undefined;
  const store = await (engine === "sqlite"
    ? openSqlite(join(directory, `s${++count}`))
    : openPostgres((await server?.create()) ?? ""));
  open.push(store);
  return store;
}

describe.each(["sqlite", "postgres"] as const)("tokens that are spent once, on %s", (engine) => {
  test("of many at once one gets through, and so many versions at most", async ({ skip }) => {
    const store = await storeOf(engine);
    if (store === undefined) return skip();
    const spend = (id: string, version: string) => spendToken(store.db, { id, version, until: 10 }, 3, 0);
    const once = await Promise.all(Array.from({ length: 20 }, () => spend("a", "1")));
    expect(once.filter((spent) => spent)).toHaveLength(1);
    expect([await spend("a", "2"), await spend("a", "3"), await spend("a", "4"), await spend("b", "1")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  test("the key is made once, whoever asks first", async ({ skip }) => {
    const store = await storeOf(engine);
    if (store === undefined) return skip();
    const keys = await Promise.all(Array.from({ length: 8 }, () => sharedKey(store.db, "grants")));
    expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    expect(await sharedKey(store.db, "other")).not.toEqual(keys[0]);
  });
});

const resources = apiResources([
  { group: "", version: "v1", kind: "Pod", resource: "pods", namespaced: true, verbs: [], subresources: [] },
  { group: "apps", version: "v1", kind: "Deployment", resource: "deployments", namespaced: true, verbs: [], subresources: [] },
]);
const guardrails = [
  documentOf("Guardrail", "prod", {
    effect: "require-approval",
    message: "production rests",
    match: { namespaces: ["prod"], resources: [{ apiGroups: ["*"], resources: ["*/*"] }] },
  }),
  documentOf("Guardrail", "never", {
    effect: "deny",
    message: "never this one",
    match: { namespaces: ["prod"] },
    when: "action.name == 'never'",
  }),
  documentOf("Guardrail", "why", {
    effect: "require-reason",
    message: "say why",
    match: { namespaces: ["prod"] },
    when: "action.name == 'why'",
  }),
];
const ada = person("ada", ["dev"]);
const other = person("eve", ["dev"]);
const web = (version: string, more: JsonObject = {}): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "prod", uid: "u1", resourceVersion: version },
  spec: { image: "a" },
  status: { phase: version },
  ...more,
});
const approved = web("1");
const action = (more: Partial<RequestedAction> = {}): RequestedAction =>
  pod({ cluster: "c1", namespace: "prod", name: "web", pinned: { uid: "u1", digest: objectDigest(approved) }, ...more });

const request = (of: readonly string[] = ["prod"]): AccessRequest => ({
  id: "r1",
  cluster: "c1",
  requester: ada,
  ask: { type: "action", action: action(), digest: "d" },
  reason: "",
  rule: { name: "delete-pods", version: "1" },
  guardrails: of,
  breakGlass: false,
  slots: [],
  approvals: [],
  opened: start,
  pendingUntil: start,
  grantMilliseconds: 600_000,
  phase: "granted",
  grant: { id: "g", from: start, until: start + 600_000, group: "castellan:grant:delete-pods", use: "sent", attempts: 1 },
  seen: start,
  revision: 1,
});

let shared: Promise<Store | undefined> | undefined;

/** When a review must be answered. */
const soon = () => performance.now() + 10_000;

/** Admission on a store, and what it says to a deletion of the pod. */
async function world() {
  shared ??= storeOf("sqlite");
  const store = await shared;
  if (store === undefined) throw new Error("no store");
  const key = await sharedKey(store.db, "grants");
  let now = start;
  const exceptions = new LiveExceptions({
    desk: { exceptions: async () => [], onChange: () => () => {}, onLock: () => () => {} },
    cluster: "c1",
    now: () => now,
    onObject: () => {},
    onTrouble: () => {},
  });
  const rules = rulesOf({ rules: { "delete-pods": deletePods } });
  const approvals = new AdmissionApprovals({ cluster: "c1", store, key, exceptions, rules: () => rules, now: () => now });
  const ledger = new Ledger(store, await openSigner(join(directory, `k${count}`), "test.example/ledger"), () => now);
  const { set } = compilePolicies(guardrails, resources);
  const host = { now: () => now, random: () => 0 };
  const facts = { known: () => undefined, fetch: async () => ({ ok: false as const, message: "not here" }) };
  const admission = new Admission({ cluster: "c1", facts, resources: () => resources, host, ledger, approvals });
  const askedOf = (token: string | undefined, of: Partial<Action>): Action => ({
    channel: "admission",
    actor: { user: "oidc:ada", groups: ["dev"], ...(token === undefined ? {} : { extra: { [grantExtraKey]: [token] } }) },
    operation: "DELETE",
    dryRun: false,
    target: {
      type: "kubernetes",
      group: "",
      version: "v1",
      kind: "Pod",
      resource: "pods",
      subresource: "",
      namespace: "prod",
      name: "web",
    },
    oldObject: web("1"),
    namespaceLabels: {},
    at: now,
    ...of,
  });
  const judge = (token: string | undefined, of: Partial<Action> = {}) =>
    admission.admit("uid", askedOf(token, of), "validate", set, soon());
  return {
    key,
    judge,
    recheck: (token: string | undefined, of: Partial<Action> = {}) => admission.recheck("uid", askedOf(token, of), soon()),
    /** `asking`: the guardrails that want an approval of the call; those of the request unless told. */
    seal: (of = request(), what = action(), by = ada, asking = of.guardrails) => sealGrant(key, of, what, by, asking, now),
    pass: (ms: number) => (now += ms),
  };
}

const target = {
  type: "kubernetes",
  group: "",
  version: "v1",
  kind: "Pod",
  resource: "pods",
  subresource: "",
  namespace: "prod",
  name: "web",
} as const;

describe("a single call that was approved, where no policy objects", () => {
  const quiet = { ...target, namespace: "quiet" } as const;
  const service: Partial<Action> = { operation: "UPDATE", target: { ...quiet, kind: "Service", resource: "services" } };
  const update = (more: Partial<RequestedAction> = {}) =>
    action({ verb: "update", resource: "services", namespace: "quiet", ...more });

  test("is for the object that was approved; a session is for whatever comes, and a status changes nothing", async () => {
    const { judge, seal } = await world();
    const single = request([]);
    const session: AccessRequest = {
      ...single,
      ask: { type: "session", namespace: "prod", milliseconds: 600_000, mode: "gateway" },
    };
    const changed = web("2", { spec: { image: "b" } });
    const another = { ...web("2"), metadata: { ...web("2").metadata, uid: "u2" } };
    const judged = async (of: AccessRequest, oldObject: KubernetesObject) =>
      (await judge(seal(of, update()), { ...service, oldObject })).message;
    expect(await judged(single, web("2"))).toBe("");
    expect(await judged(single, changed)).toContain("the object has changed since it was approved: run the command again");
    expect(await judged(single, another)).toContain("the object is another one of the same name");
    expect((await judge(seal(single, update()), { ...service, operation: "CREATE", oldObject: undefined })).message).toContain(
      "the object that was approved to be changed is gone",
    );
    expect(await judged(session, changed)).toBe("");
  });

  test("neither a token that is too old nor one without a policy's webhook lets a change through", async () => {
    const { judge, recheck, seal, pass } = await world();
    const token = seal(request([]), update());
    const changed = { ...service, oldObject: web("2", { spec: { image: "b" } }) };
    expect(await recheck(token, service)).toMatchObject({ allowed: true });
    expect(await recheck(undefined, changed)).toMatchObject({ allowed: true });
    expect(await recheck(token, changed)).toMatchObject({ allowed: false, message: expect.stringContaining("has changed") });
    pass(3_600_000);
    expect(await judge(token, changed)).toMatchObject({ allowed: false });
    expect(await judge(token, service)).toMatchObject({ allowed: true });
  });

  test("of a Secret nobody can try from its digest what it holds", async () => {
    const { key, judge, seal } = await world();
    const secret = (value: string): KubernetesObject => ({ ...web("1"), kind: "Secret", data: { pin: value } });
    const sealed = sealedDigest(key, secret("MTIzNA=="));
    expect(sealed).not.toBe(objectDigest(secret("MTIzNA==")));
    expect(sealed).not.toBe(sealedDigest(Buffer.alloc(32), secret("MTIzNA==")));
    expect(sealedDigest(key, web("1"))).toBe(objectDigest(web("1")));
    const of = update({ resource: "secrets", pinned: { uid: "u1", digest: sealed } });
    const about = { ...service, target: { ...quiet, kind: "Secret", resource: "secrets" } };
    expect(await judge(seal(request([]), of), { ...about, oldObject: secret("MTIzNA==") })).toMatchObject({ allowed: true });
    expect(await judge(seal(request([]), of), { ...about, oldObject: secret("OTk5OQ==") })).toMatchObject({ allowed: false });
  });
});

describe("an approved call at admission", () => {
  test("without an approval it is denied, in the guardrail's own words", async () => {
    const { judge } = await world();
    const { allowed, message } = await judge(undefined);
    expect({ allowed, message }).toEqual({
      allowed: false,
      message: "refused by policy:\n\ncastellan.dev/Guardrail/prod/require-approval: production rests; it needs an approval\n",
    });
  });

  test("with one it passes, and once only", async () => {
    const { judge, seal } = await world();
    const token = seal();
    expect((await judge(token)).allowed).toBe(true);
    const again = await judge(token);
    expect(again).toMatchObject({
      allowed: false,
      message: expect.stringContaining("the approval that came along has been used."),
    });
  });

  test("a conflict makes the server ask again with a newer version of the same object: that is one use", async () => {
    const { judge, seal } = await world();
    const token = seal();
    const versions = ["1", "2", "3", "4", "5", "6"];
    const allowed = [];
    for (const version of versions) allowed.push((await judge(token, { oldObject: web(version) })).allowed);
    expect(allowed).toEqual([true, true, true, true, true, false]);
  });

  test("a dry run uses nothing up", async () => {
    const { judge, seal } = await world();
    const dry = seal(request(), action({ dryRun: true }));
    expect((await judge(dry, { dryRun: true })).allowed).toBe(true);
    expect((await judge(dry, { dryRun: true })).allowed).toBe(true);
    expect((await judge(dry)).message).toContain("one of them is a dry run");
    const real = seal();
    expect((await judge(real, { dryRun: true })).allowed).toBe(false);
    expect((await judge(real)).allowed).toBe(true);
  });

  test.each([
    { of: "another user", change: { actor: "eve" }, why: "another user" },
    {
      of: "another object",
      change: {
        target: { ...target, name: "db" },
        oldObject: web("1", { metadata: { name: "db", namespace: "prod", uid: "u2" } }),
      },
      why: "another object",
    },
    {
      of: "another object of the same name",
      change: { oldObject: web("1", { metadata: { name: "web", namespace: "prod", uid: "u2" } }) },
      why: "another one of the same name",
    },
    {
      of: "an object that has changed",
      change: { oldObject: web("1", { spec: { image: "b" } }) },
      why: "changed since it was approved",
    },
    { of: "another resource", change: { target: { ...target, resource: "secrets", kind: "Secret" } }, why: "another resource" },
    { of: "a subresource", change: { target: { ...target, subresource: "status" } }, why: "another resource" },
    { of: "another operation", change: { operation: "UPDATE", object: web("1") }, why: "another verb" },
  ])("is for nothing else: $of", async ({ change, why }) => {
    const { judge, seal } = await world();
    const token = seal();
    const { actor, ...more } = change as Partial<Action> & { actor?: string };
    const by = actor === undefined ? {} : { actor: { user: actor, groups: [], extra: { [grantExtraKey]: [token] } } };
    const answer = await judge(token, { ...(more as Partial<Action>), ...by });
    expect(answer).toMatchObject({ allowed: false, message: expect.stringContaining(why) });
    // Nothing was used up.
    expect((await judge(token)).allowed).toBe(true);
  });

  test.each([
    { of: "another namespace", sealed: action({ namespace: "prod2" }), why: "another namespace" },
    { of: "another cluster", sealed: action({ cluster: "c2" }), why: "another cluster" },
    { of: "an object that was not there", sealed: action({ pinned: undefined }), why: "an object that was not there" },
  ])("sealed for $of it is refused", async ({ sealed, why }) => {
    const { judge, seal } = await world();
    expect(await judge(seal(request(), sealed))).toMatchObject({ allowed: false, message: expect.stringContaining(why) });
  });

  test("by another person it is refused", async () => {
    const { judge, seal } = await world();
    expect((await judge(seal(request(), action(), other))).message).toContain("another user");
  });

  test("lifts only the guardrails that were approved, and never a denial", async () => {
    const { judge, seal } = await world();
    const named = (name: string) => ({
      target: { ...target, name },
      oldObject: { ...web("1"), metadata: { name, namespace: "prod", uid: "u1" } },
    });
    const sealed = (name: string, of: readonly string[]) =>
      seal(request(of), action({ name, pinned: { uid: "u1", digest: objectDigest(named(name).oldObject) } }));
    expect((await judge(sealed("why", ["prod"]), named("why"))).message).toContain("Guardrail/why/require-reason: say why");
    expect((await judge(sealed("why", ["prod", "why"]), named("why"))).allowed).toBe(true);
    const never = await judge(sealed("never", ["prod", "never"]), named("never"));
    expect(never.message).toContain("Guardrail/never/deny: never this one");
    expect(never.message).not.toContain("Guardrail/prod");
    expect(await judge(seal(request([]))).then((answer) => answer.allowed)).toBe(false);
  });

  test("who broke the glass meets what asks for an approval", async () => {
    const { judge, seal } = await world();
    const plain = request([]);
    const broken = { ...plain, breakGlass: true };
    expect((await judge(seal(plain, action(), ada, ["prod"]))).allowed).toBe(false);
    expect((await judge(seal(broken, action(), ada, ["prod"]))).allowed).toBe(true);
  });

  test("grows old, and ends with the grant (T46)", async () => {
    const { judge, seal, pass } = await world();
    const token = seal();
    pass(64_000);
    expect((await judge(token)).allowed).toBe(true);
    const late = seal();
    pass(66_000);
    expect((await judge(late)).message).toContain("too old");
    const short = {
      ...request(),
      grant: { id: "g", from: start, until: start + 131_000, group: "g", use: "sent", attempts: 1 } as const,
    };
    const ending = seal(short);
    pass(7_000);
    expect((await judge(ending)).message).toContain("too old");
  });

  test("a collection is deleted object by object, each once", async () => {
    const { judge, seal } = await world();
    const token = seal(request(), action({ verb: "deletecollection", name: "", pinned: undefined }));
    const one = (name: string) => ({
      target: { ...target, name },
      oldObject: { ...web("1"), metadata: { name, namespace: "prod", uid: name, resourceVersion: "1" } },
    });
    expect([
      (await judge(token, one("a"))).allowed,
      (await judge(token, one("b"))).allowed,
      (await judge(token, one("a"))).allowed,
    ]).toEqual([true, true, false]);
  });

  test("what somebody else wrote is no approval", async () => {
    const { judge, seal, key } = await world();
    const token = seal();
    const [version = "", body = "", mark = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
    const changed = Buffer.from(JSON.stringify({ ...claims, name: "db" })).toString("base64url");
    const forged = [
      "",
      "v1",
      "x.y.z",
      `${version}.${changed}.${mark}`,
      `${version}.${body}.`,
      `v2.${body}.${mark}`,
      `${token}x`,
      token.slice(0, -2),
      sealGrant(Buffer.alloc(32), request(), action(), ada, request().guardrails, start),
    ];
    for (const text of forged) expect(openGrant(key, text, start)).toMatchObject({ ok: false });
    for (const text of forged) expect((await judge(text)).allowed).toBe(false);
    expect(
      (await judge(token, { actor: { user: "oidc:ada", groups: [], extra: { [grantExtraKey]: [token, token] } } })).allowed,
    ).toBe(false);
  });
});
