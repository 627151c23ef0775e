import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectDigest } from "../../src/access/digest.ts";
import { action as actionOf, person } from "../../src/access/machine/people.testing.ts";
import type { AccessRequest } from "../../src/access/request.ts";
import type { RequestedAction } from "../../src/access/requested-action.ts";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { connect, type KubernetesClient } from "../../src/adapters/kubernetes/client.ts";
import { clusterAccess } from "../../src/adapters/kubernetes/kubeconfig.ts";
import { sharedKey } from "../../src/adapters/store/grant-tokens.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { isObject, type JsonObject, member } from "../../src/core/json.ts";
import { customResourceDefinition } from "../../src/core/resource-definition.ts";
import { answerReview } from "../../src/server/webhook/reviews.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";
import { accessKinds } from "../../src/services/access/access-documents.ts";
import { AdmissionApprovals } from "../../src/services/access/admission-approvals.ts";
import { grantExtraKey, sealGrant } from "../../src/services/access/guardrail-grant.ts";
import { LiveAccess } from "../../src/services/access/live-access.ts";
import { LiveExceptions } from "../../src/services/access/live-exceptions.ts";
import { sealedDigest } from "../../src/services/access/sealed-digest.ts";
import { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";
import { Admission } from "../../src/services/admission/admit.ts";
import { ClusterFacts } from "../../src/services/admission/cluster-facts.ts";
import { reviewPolicy } from "../../src/services/admission/policy-review.ts";
import { GovernedCluster } from "../../src/services/live/governed-cluster.ts";
import { LivePolicies } from "../../src/services/live/live-policies.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";

const nothing = () => ({ ok: false, message: "there is none" }) as const;
let cluster: Cluster | NotAvailable;
let directory = "";
let key: Uint8Array;
let client: KubernetesClient;
let access: LiveAccess;
let desk: StoredAccessDesk;
let policies: LivePolicies;
let agent: Agent;
const troubles: string[] = [];
const closing: (() => Promise<void> | void)[] = [];
const group = "/apis/castellan.dev/v1alpha1";
const ada = person("ada", ["dev"]);
const bob = person("bob", ["leads"]);

interface Answered {
  readonly status: number;
  readonly body: JsonObject;
  readonly message: string;
}

/** A call as the gateway makes it: as somebody, with an approval where there is one. */
async function call(
  method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH",
  path: string,
  body?: JsonObject,
  token?: string,
  as = true,
): Promise<Answered> {
  if (!cluster.available) throw new Error(cluster.reason);
  const headers: { [name: string]: string } = {
    authorization: `Bearer ${cluster.token("admin")}`,
    "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
    ...(as ? { "Impersonate-User": ada.user, "Impersonate-Group": "dev" } : {}),
    ...(token === undefined ? {} : { [`Impersonate-Extra-${encodeURIComponent(grantExtraKey)}`]: token }),
  };
  const answer = await request(cluster.server + path, {
    method,
    headers,
    dispatcher: agent,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const value: unknown = await answer.body.json();
  const object: JsonObject = typeof value === "object" && value !== null ? { ...value } : {};
  return { status: answer.statusCode, body: object, message: String(object["message"] ?? "") };
}
const admin = (method: "POST" | "PUT" | "DELETE", path: string, body?: JsonObject) => call(method, path, body, undefined, false);
const ours = (kind: string, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: "castellan.dev/v1alpha1",
  kind,
  metadata: { name },
  spec,
});
const configMap = (name: string, data: JsonObject, labels: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "prod", labels },
  data,
});
const maps = "/api/v1/namespaces/prod/configmaps";

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error(`it never came to hold: ${holds}; ${troubles.join("; ")}`);
}

beforeAll(async () => {
  cluster = await startCluster();
  if (!cluster.available) return;
  directory = await mkdtemp(join(tmpdir(), "castellan-guardrails-"));
  agent = new Agent({ connect: { ca: cluster.authority, checkServerIdentity: () => undefined } });
  const given = clusterAccess({ kubeconfig: cluster.kubeconfig, context: "admin", env: {}, home: directory });
  if (!given.ok) throw new Error("no access");
  const connected = await connect(given.value);
  if (!connected.ok) throw new Error("no client");
  client = connected.value;
  const store = await openSqlite(join(directory, "store"));
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), Date.now);
  key = await sharedKey(store.db, "grants");
  const onTrouble = (error: Error) => troubles.push(error.message);
  access = new LiveAccess({ onCallClients: new Map(), now: Date.now, onDiagnostics: () => {}, onTrouble });
  desk = new StoredAccessDesk({ store, ledger, rules: () => access.rules, cluster: "c1", now: Date.now, onTrouble });
  await desk.start();
  const exceptions = new LiveExceptions({ desk, cluster: "c1", now: Date.now, onObject: () => {}, onTrouble });
  await exceptions.start();
  const schemas = loadKubernetesSchemas();
  policies = new LivePolicies(schemas.resources());
  const resources = () => governed.resources;
  const admission = new Admission({
    cluster: "c1",
    facts: new ClusterFacts({
      client,
      resources,
      now: Date.now,
      globalContext: nothing,
      outside: { call: async () => nothing() },
      registries: { ask: async () => nothing() },
    }),
    resources,
    host: { now: Date.now, random: Math.random },
    ledger,
    approvals: new AdmissionApprovals({
      cluster: "c1",
      store,
      key,
      exceptions,
      rules: () => access.rules,
      consoleUrl: () => "https://console.example",
      now: Date.now,
    }),
  });
  const ca = await createAuthority("test", Date.now(), 1);
  const identity = await issueServerCertificate(ca, { dns: ["localhost"], ips: ["127.0.0.1"] }, Date.now(), 1);
  const webhook = await listenForReviews({
    host: "127.0.0.1",
    port: 0,
    identity: { certificate: identity.certificate, key: identity.key },
    callers: { open: (path) => path, onRefused: () => {} },
    onError: (error) => troubles.push(String(error)),
    batches: { isAuthorized: () => false, handlers: new Map() },
    handle: async (path, review, until) =>
      path === "/policies"
        ? reviewPolicy(review, schemas, Date.now())
        : answerReview(path, review, until, {
            admission,
            policies: () => policies.current.admission,
            namespaceLabels: (name) => governed.namespaceLabels(name),
            now: Date.now,
          }),
  });
  const governed = new GovernedCluster({
    client,
    policies,
    schemas,
    webhook: {
      address: { url: `https://127.0.0.1:${webhook.port}`, authority: Buffer.from(ca.certificate).toString("base64") },
      exemptNamespaces: ["castellan"],
      timeoutSeconds: 10,
      approvedCalls: true,
      owner: { id: "test", name: "a test", takesOver: false },
    },
    now: Date.now,
    onTrouble,
  });
  closing.push(
    () => governed.stop(),
    () => webhook.close(),
    () => access.stop(),
    () => exceptions.stop(),
    () => desk.close(),
    () => ledger.close(),
    () => store.close(),
    () => agent.destroy(),
  );
  for (const kind of accessKinds)
    expect(
      (await admin("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", customResourceDefinition(kind))).status,
    ).toBe(201);
  await admin("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "dev" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "dev" }],
  });
  await admin("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "prod", labels: { stage: "production" } },
  });
  await governed.start();
  await eventually(() => governed.resources.byKind("castellan.dev", "AccessRule") !== undefined);
  const followed = await access.followCluster(client, governed.resources, "c1");
  governed.onResources((served) => followed.follow(served));
}, 180_000);
afterAll(async () => {
  for (const close of closing) await close();
  if (cluster.available) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

const guardrail = ours("Guardrail", "production", {
  effect: "require-approval",
  message: "production rests",
  match: {
    operations: ["UPDATE", "DELETE"],
    namespaceSelector: { matchLabels: { stage: "production" } },
    resources: [{ apiGroups: [""], resources: ["configmaps"] }],
  },
  excludeSubjects: { groups: ["system:masters"] },
});

describe("documents of access in a cluster", () => {
  test.each([
    {
      kind: "guardrails",
      object: ours("Guardrail", "g", { effect: "deny", message: "m", match: { namespace: ["prod"] } }),
      says: 'spec.match.namespace: unknown field "namespace"',
    },
    {
      kind: "guardrails",
      object: ours("Guardrail", "g", { effect: "deny", message: "m", when: "user.nme == 'x'" }),
      says: "undefined field 'nme'",
    },
    {
      kind: "schedules",
      object: ours("Schedule", "s", { timeZone: "Europe/Atlantis" }),
      says: 'there is no time zone "Europe/Atlantis"',
    },
    {
      kind: "accessrules",
      object: ours("AccessRule", "r", {
        requesters: { groups: ["dev"] },
        verbs: ["delete"],
        resources: [{ apiGroups: [""], resources: ["pods"] }],
        role: { kind: "ClusterRole", name: "edit" },
        maxDuration: "1h",
      }),
      says: "nobody could approve",
    },
    {
      kind: "directories",
      object: ours("Directory", "d", { people: [{ id: "a", mail: "a@example.com" }] }),
      says: 'spec.people[0].mail: unknown field "mail"',
    },
  ])("what could not be in force is not stored: $says", async ({ kind, object, says }) => {
    if (!cluster.available) return;
    await eventually(async () => (await call("POST", `${group}/${kind}`, object, undefined, false)).message.includes(says));
  });

  test("what is stored is in force, and follows its changes (T41)", async () => {
    if (!cluster.available) return;
    const rule = ours("AccessRule", "exceptions", {
      requesters: { groups: ["dev"] },
      asks: ["exception"],
      policies: ["kyverno.io/*"],
      namespaces: ["prod"],
      maxDuration: "1h",
      approvals: [{ from: ["group:leads"] }],
    });
    expect((await admin("POST", `${group}/accessrules`, rule)).status).toBe(201);
    await eventually(() => access.rules?.offersException("kyverno.io/ClusterPolicy/x", "prod", "c1") === true);
    const stored = await call("GET", `${group}/accessrules/exceptions`, undefined, undefined, false);
    const spec = isObject(stored.body["spec"]) ? stored.body["spec"] : {};
    await admin("PUT", `${group}/accessrules/exceptions`, { ...stored.body, spec: { ...spec, namespaces: ["prod", "dev"] } });
    await eventually(() => access.rules?.offersException("kyverno.io/ClusterPolicy/x", "dev", "c1") === true);
  });
});

describe("a guardrail for those who go around the gateway", () => {
  const action = (name: string, object: JsonObject, more: Partial<RequestedAction> = {}): RequestedAction => {
    const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
    const pinned = { uid: String(metadata["uid"]), digest: objectDigest(object) };
    return actionOf({ cluster: "c1", verb: "update", resource: "configmaps", namespace: "prod", name, pinned, ...more });
  };
  const approved = (of: RequestedAction): AccessRequest => ({
    id: "req-1",
    cluster: "c1",
    requester: ada,
    ask: { type: "action", action: of, digest: "" },
    reason: "",
    rule: { name: "r", version: "1" },
    guardrails: ["production"],
    breakGlass: false,
    slots: [],
    approvals: [],
    opened: 0,
    pendingUntil: 0,
    grantMilliseconds: 60_000,
    phase: "granted",
    grant: { id: "g", from: 0, until: Date.now() + 60_000, group: "castellan:grant:r", use: "sent", attempts: 1 },
    seen: 0,
    revision: 1,
  });
  const seal = (of: RequestedAction) => sealGrant(key, approved(of), of, ada, approved(of).guardrails, Date.now());

  test("holds at admission, and an approved call passes once, for the object that was approved", async () => {
    if (!cluster.available) return;
    expect((await admin("POST", `${group}/guardrails`, guardrail)).status).toBe(201);
    expect((await call("POST", maps, configMap("settings", { a: "1" }))).status).toBe(201);
    await eventually(async () => (await call("PATCH", `${maps}/settings?dryRun=All`, { data: { a: "2" } })).status === 403);
    const denied = await call("PUT", `${maps}/settings`, configMap("settings", { a: "2" }));
    expect(denied.message).toContain(
      "castellan.dev/Guardrail/production/require-approval: production rests; it needs an approval",
    );

    const before = await call("GET", `${maps}/settings`);
    const token = seal(action("settings", before.body));
    expect((await call("PUT", `${maps}/other`, configMap("other", {}), token)).status).not.toBe(200);
    const done = await call("PUT", `${maps}/settings`, configMap("settings", { a: "2" }), token);
    expect([done.status, done.message]).toEqual([200, ""]);
    const again = await call("PUT", `${maps}/settings`, configMap("settings", { a: "3" }), token);
    expect(again).toMatchObject({
      status: 403,
      message: expect.stringContaining("the object has changed since it was approved"),
    });

    const now = await call("GET", `${maps}/settings`);
    const stale = seal(action("settings", now.body));
    await call(
      "PATCH",
      `${maps}/settings`,
      { data: { by: "somebody else" } },
      seal(action("settings", now.body, { verb: "patch" })),
    );
    expect((await call("DELETE", `${maps}/settings`, undefined, stale)).message).toContain("another verb");
    const changed = await call("PUT", `${maps}/settings`, configMap("settings", { a: "4" }), stale);
    expect(changed.message).toContain("changed since it was approved");
  });

  test("where no guardrail looks, an approved call is for the object that was approved all the same", async () => {
    if (!cluster.available) return;
    const secrets = "/api/v1/namespaces/prod/secrets";
    const secret = (value: string): JsonObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "token", namespace: "prod" },
      stringData: { value },
    });
    expect((await call("POST", secrets, secret("one"))).status).toBe(201);
    const before = await call("GET", `${secrets}/token`);
    const pinned = { uid: String(member(before.body["metadata"], "uid")), digest: sealedDigest(key, before.body) };
    expect(pinned.digest).not.toBe(objectDigest(before.body));
    const of = actionOf({ cluster: "c1", verb: "update", resource: "secrets", namespace: "prod", name: "token", pinned });
    const whole = { ...approved(of), guardrails: [] };
    const one = sealGrant(key, whole, of, ada, [], Date.now());
    const session = { ...whole, ask: { type: "session", namespace: "prod", milliseconds: 60_000, mode: "gateway" } } as const;
    const many = sealGrant(key, session, of, ada, [], Date.now());
    expect((await call("PUT", `${secrets}/token`, secret("two"), one)).status).toBe(200);
    const again = await call("PUT", `${secrets}/token`, secret("three"), one);
    expect(again).toMatchObject({
      status: 403,
      message: expect.stringContaining("the object has changed since it was approved: run the command again"),
    });
    // A session is for whatever comes, and who has no approval is not asked about.
    expect((await call("PUT", `${secrets}/token`, secret("three"), many)).status).toBe(200);
    expect((await call("PUT", `${secrets}/token`, secret("four"))).status).toBe(200);
    expect((await call("DELETE", `${secrets}/token`)).status).toBe(200);
    expect((await call("POST", secrets, secret("one"))).status).toBe(201);
    expect((await call("PUT", `${secrets}/token`, secret("five"), one)).message).toContain("another one of the same name");
  });

  test("a deletion is approved with the object as it was", async () => {
    if (!cluster.available) return;
    await call("POST", maps, configMap("gone", {}));
    const found = await call("GET", `${maps}/gone`);
    expect((await call("DELETE", `${maps}/gone`)).status).toBe(403);
    const token = seal(action("gone", found.body, { verb: "delete" }));
    expect((await call("DELETE", `${maps}/gone`, undefined, token)).status).toBe(200);
    await call("POST", maps, configMap("gone", {}));
    expect((await call("DELETE", `${maps}/gone`, undefined, token)).message).toContain("another one of the same name");
  });
});

describe("an exception that people approve", () => {
  test("is for that object and time, and the denial says how to ask", async () => {
    if (!cluster.available) return;
    const text = {
      apiVersion: "kyverno.io/v1",
      kind: "ClusterPolicy",
      metadata: { name: "require-team" },
      spec: {
        rules: [
          {
            name: "label",
            match: { any: [{ resources: { kinds: ["ConfigMap"] } }] },
            validate: {
              failureAction: "Enforce",
              message: "label team is required",
              pattern: { metadata: { labels: { team: "?*" } } },
            },
          },
        ],
      },
    };
    policies.setSource("files", [{ file: "p.yaml", index: 0, value: text, locate: () => undefined, locateKey: () => undefined }]);
    let denied: Answered | undefined;
    await eventually(async () => {
      denied = await call("POST", `${maps}?dryRun=All`, configMap("free", {}));
      return denied.status === 403;
    });
    expect(denied?.message).toContain("kyverno.io/ClusterPolicy/require-team/label: validation error: label team is required");
    expect(denied?.message).toContain(
      'To ask for an exception:\ncastellan request create --exception kyverno.io/ClusterPolicy/require-team --policy-rule label --object ConfigMap/free -n prod --for 24h --reason "..."',
    );
    expect(denied?.message).toContain(
      "or https://console.example/access/new?exception=kyverno.io/ClusterPolicy/require-team&rule=label&object=ConfigMap/prod/free&apiVersion=v1&cluster=c1",
    );

    const opened = await desk.open({
      requester: ada,
      ask: {
        type: "exception",
        policy: "kyverno.io/ClusterPolicy/require-team",
        rules: ["label"],
        object: { apiVersion: "v1", kind: "ConfigMap", namespace: "prod", name: "free" },
        until: Date.now() + 3_600_000,
      },
      reason: "for now",
      cluster: "c1",
    });
    if (!opened.ok) throw new Error(opened.message);
    expect((await call("POST", maps, configMap("free", {}))).status).toBe(403);
    const decided = await desk.decide(opened.value.id, bob, "approve", "fine", "cli");
    expect(decided).toMatchObject({ ok: true, value: { phase: "granted" } });
    await eventually(async () => (await call("POST", `${maps}?dryRun=All`, configMap("free", {}))).status === 201);
    expect((await call("POST", maps, configMap("free", {}))).status).toBe(201);
    expect((await call("POST", maps, configMap("other", {}))).status).toBe(403);
    const generated: JsonObject = { ...configMap("free", {}), metadata: { generateName: "free", namespace: "prod" } };
    expect((await call("POST", maps, generated)).status).toBe(403);

    // An object that breaks the policy already may go on doing so: what counts is what is new.
    expect((await admin("DELETE", `${maps}/free`)).status).toBe(200);
    expect((await call("POST", `${maps}?dryRun=All`, configMap("free", {}))).status).toBe(201);
    await desk.revoke(opened.value.id, bob, "enough");
    await eventually(async () =>
      (await call("POST", `${maps}?dryRun=All`, configMap("free", {}))).message.includes("require-team"),
    );
  });
});

describe("a guardrail about everything", () => {
  test("stops what people do, and not what the cluster lives on", async () => {
    if (!cluster.available) return;
    await admin("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "quiet" } });
    const rest = ours("Guardrail", "rest", { effect: "deny", message: "not here", match: { namespaces: ["quiet"] } });
    expect((await admin("POST", `${group}/guardrails`, rest)).status).toBe(201);
    const map: JsonObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "quiet" } };
    await eventually(async () =>
      (await call("POST", "/api/v1/namespaces/quiet/configmaps?dryRun=All", map)).message.includes("not here"),
    );
    const lease: JsonObject = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "a", namespace: "quiet" },
    };
    expect((await call("POST", "/apis/coordination.k8s.io/v1/namespaces/quiet/leases", lease)).status).toBe(201);
  });
});
