import { Agent, request as send } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordsFrom } from "../../src/adapters/store/ledger-reading.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member, valueAt } from "../../src/core/json.ts";
import { addAccessAdministrationRoutes } from "../../src/server/api/access-administration-routes.ts";
import { addRecordingRoutes } from "../../src/server/api/recording-routes.ts";
import { locksInForce } from "../../src/services/access/lock-list.ts";
import { Recordings } from "../../src/services/access/recordings.ts";
import {
  type DeskServer,
  type DeskWorld,
  deletePod,
  type Name,
  openDeskWorld,
  people,
  requestsPath,
  startDeskServer,
  userOf,
} from "./desk-server.ts";

let world: DeskWorld;
let server: DeskServer;
let recordings: Recordings;
const before = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "ml" }, data: { mode: "slow" } };
const after = { ...before, data: { mode: "fast" } };

beforeAll(async () => {
  world = await openDeskWorld();
  recordings = new Recordings({ store: world.store, ledger: world.ledger, now: () => world.clock.now });
  server = await startDeskServer(world, {
    lookAtCall: async (action) => ({
      ok: true,
      value: {
        pinned: { uid: "u1", digest: "d1" },
        guardrails: ["hours"],
        ...(action.resource === "configmaps" ? { preview: { before, after } } : {}),
      },
    }),
    risk: () => ({ score: 40, reasons: ["medium: Delete pods"] }),
    routes: (api, desk) => {
      addAccessAdministrationRoutes(api, {
        desk,
        humanNamed: async (name) => (name === "nemo" ? undefined : name),
        locks: () => locksInForce(world.store, world.clock.now),
      });
      addRecordingRoutes(api, recordings);
    },
  });
});

afterAll(async () => {
  await server.close();
  await recordings.close();
  await world.close();
});

let opened = 0;

/** A new request of Ada's to delete a pod of its own. */
async function pending(): Promise<string> {
  const answer = await server.post("ada", requestsPath, { ask: deletePod(`web-${opened++}`), reason: "stuck" });
  expect(answer.status).toBe(201);
  return idOf(answer.body);
}

const idOf = (body: JsonValue): string => asString(member(body, "id")) ?? "";
const idsOf = (body: JsonValue): readonly string[] => {
  const items = member(body, "items");
  return isArray(items) ? items.map(idOf) : [];
};
const at = (id: string, verb = ""): string => `${requestsPath}/${id}${verb === "" ? "" : `/${verb}`}`;

describe("requests over the API", () => {
  test("asking, looking, approving: what each may see and do", async () => {
    const id = await pending();
    const own = await server.get("ada", at(id));
    expect(own.body).toMatchObject({
      phase: "pending",
      guardrails: ["hours"],
      mayDecide: false,
      mayCancel: true,
      mayRevoke: true,
      what: expect.stringContaining("delete pods/web-"),
    });
    const approver = await server.get("bob", at(id));
    expect(approver.body).toMatchObject({ mayDecide: true, mayCancel: false, risk: { score: 40 } });
    const list = await server.get("bob", `${requestsPath}?decidable=true`);
    expect(valueAt(list.body, ["items"])).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
    const approved = await server.post("bob", at(id, "approve"), { comment: "go" });
    expect(approved.body).toMatchObject({
      phase: "granted",
      approvals: [{ verdict: "approve", comment: "go", channel: "api", by: { user: "oidc:bob" } }],
    });
    expect((await server.post("bob", at(id, "approve"))).body).toMatchObject({ code: "ACCESS_DECIDED" });
  });

  test("our own command line is told apart from other programs", async () => {
    const id = await pending();
    const body = { comment: "" };
    const said = await server.ask("bob", { method: "POST", path: at(id, "deny"), body, agent: "castellan/1.2.3" });
    expect(said.body).toMatchObject({ phase: "denied", approvals: [{ channel: "cli" }] });
  });

  test.each<[string, Name, number, string]>([
    ["T30: the requester", "ada", 403, "ACCESS_SELF_APPROVAL"],
    ["T34: an approver of another rule, who sees nothing of it", "eve", 404, "ACCESS_NOT_FOUND"],
    ["a stranger, who sees nothing of it", "mal", 404, "ACCESS_NOT_FOUND"],
    ["an auditor", "odo", 403, "ACCESS_NOT_APPROVER"],
    ["an administrator", "root", 403, "ACCESS_NOT_APPROVER"],
  ])("%s may not approve", async (_, name, status, code) => {
    const id = await pending();
    const answer = await server.post(name, at(id, "approve"), { comment: "" });
    expect([answer.status, member(answer.body, "code")]).toEqual([status, code]);
    expect((await server.get("ada", at(id))).body).toMatchObject({ phase: "pending" });
  });

  test("whoever is logged in sees what is theirs to see", async () => {
    const id = await pending();
    const seen = async (name: Name) => {
      const { body } = await server.get(name, `${requestsPath}?limit=1000`);
      const items = member(body, "items");
      return isArray(items) && items.some((item) => idOf(item) === id);
    };
    expect(await Promise.all((["ada", "bob", "odo", "root", "eve", "mal"] as const).map(seen))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect((await server.get("mal", at(id))).status).toBe(404);
    expect((await server.get("mal", at(id, "wait?seconds=0"))).status).toBe(404);
  });

  test("who decides sees the object before and after; who asks may have no right to read it", async () => {
    const ask = {
      type: "action",
      method: "PUT",
      target: "/api/v1/namespaces/ml/configmaps/settings",
      contentType: "application/json",
      body: "e30=",
    };
    const { body } = await server.post("ada", requestsPath, { ask, reason: "faster" });
    const id = idOf(body);
    const approver = await server.get("bob", at(id));
    expect(approver.body).toMatchObject({
      ask: { preview: { before } },
      changes: [{ op: "replace", path: "/data/mode", value: "fast" }],
    });
    const requester = await server.get("ada", at(id));
    expect(JSON.stringify(requester.body)).not.toContain("slow");
    expect(JSON.stringify(body)).not.toContain("slow");
  });

  test("what was decided before about the same is shown to who decides", async () => {
    const ask = deletePod("again");
    const first = idOf((await server.post("ada", requestsPath, { ask, reason: "first" })).body);
    await server.post("bob", at(first, "deny"), { comment: "not on Fridays" });
    const second = idOf((await server.post("ada", requestsPath, { ask, reason: "second" })).body);
    const { body } = await server.get("bob", at(second));
    expect(valueAt(body, ["similar", 0])).toMatchObject({
      id: first,
      phase: "denied",
      comment: "not on Fridays",
      decidedBy: ["oidc:bob"],
      alike: expect.arrayContaining(["the same object"]),
    });
    expect((await server.get("ada", at(second))).body).toMatchObject({ similar: [] });
  });

  test("a wait ends with the decision, and with its time", async () => {
    const id = await pending();
    const early = await server.get("ada", at(id, "wait?seconds=0"));
    expect(early.body).toMatchObject({ phase: "pending" });
    const waiting = server.get("ada", at(id, "wait?seconds=30"));
    await server.post("bob", at(id, "approve"), { comment: "" });
    expect((await waiting).body).toMatchObject({ phase: "granted" });
  });

  test("a wait whose client goes away ends, and many waits share a connection", async () => {
    const id = await pending();
    const warnings: string[] = [];
    const warned = ({ message }: Error) => void warnings.push(message);
    process.on("warning", warned);
    const agent = new Agent({ connections: 1 });
    const headers = { authorization: `Bearer ${server.tokenOf("ada")}` };
    for (let i = 0; i < 15; i++) {
      const answer = await agent.request({ origin: server.origin, path: at(id, "wait?seconds=0"), method: "GET", headers });
      await answer.body.dump();
    }
    const stop = new AbortController();
    const waiting = agent.request({
      origin: server.origin,
      path: at(id, "wait?seconds=60"),
      method: "GET",
      headers,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(), 100);
    await expect(waiting).rejects.toThrow();
    await agent.close();
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  test("nothing but POST acts: links in messages decide nothing", async () => {
    const id = await pending();
    for (const verb of ["approve", "deny", "cancel", "revoke", "review"]) {
      for (const method of ["GET", "HEAD"] as const) {
        const { statusCode } = await send(`${server.origin}${at(id, verb)}?comment=x`, {
          method,
          headers: { authorization: `Bearer ${server.tokenOf("bob")}` },
        });
        expect([403, 404]).toContain(statusCode);
      }
    }
    expect((await server.get("ada", at(id))).body).toMatchObject({ phase: "pending", approvals: [] });
  });

  test("T29: a browser's cookie alone decides nothing", async () => {
    const id = await pending();
    const cookie = `castellan_session=${(await server.sessions.start(userOf("bob"))).token}`;
    const forged = await send(`${server.origin}${at(id, "approve")}`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json" },
      body: "{}",
    });
    expect(forged.statusCode).toBe(403);
    const form = await send(`${server.origin}${at(id, "approve")}`, {
      method: "POST",
      headers: { cookie, "content-type": "text/plain" },
      body: "{}",
    });
    expect(form.statusCode).toBe(403);
    expect((await server.get("ada", at(id))).body).toMatchObject({ phase: "pending" });
  });

  test("another host name is a rebinding", async () => {
    const answer = await send(`${server.origin}${requestsPath}`, {
      headers: { host: "evil.example", authorization: `Bearer ${server.tokenOf("ada")}` },
    });
    expect(answer.statusCode).toBe(421);
  });

  test.each<[string, JsonObject]>([
    ["dot segments", { target: "/api/v1/namespaces/ml/pods/../secrets/x" }],
    ["an encoded slash in a name", { target: "/api/v1/namespaces/ml/pods/x%2fexec" }],
    ["another host", { target: "http://evil.example/api/v1/namespaces/ml/pods/x" }],
    ["an unknown method", { method: "BREW" }],
    ["a body that is no base64", { body: "%%%" }],
    ["a field that nobody knows", { impersonate: "root" }],
  ])("a call is refused that the gateway would refuse: %s", async (_, more) => {
    const answer = await server.post("ada", requestsPath, { ask: { ...deletePod("x"), ...more }, reason: "" });
    expect(answer.status === 400 || answer.status === 403).toBe(true);
    expect(answer.status).toBe(member(answer.body, "code") === "ACCESS_NO_RULE" ? 403 : 400);
  });

  test.each<[string, JsonObject, string]>([
    ["what no rule offers", { ask: { type: "session", namespace: "kube-system", milliseconds: 60_000 } }, "ACCESS_NO_RULE"],
    ["another cluster", { ask: deletePod(), cluster: "staging" }, "ACCESS_BAD_REQUEST"],
    [
      "break-glass without a reason",
      { ask: { type: "session", namespace: "ml", milliseconds: 60_000 }, breakGlass: true },
      "ACCESS_REASON_REQUIRED",
    ],
    [
      "an exception of the past",
      {
        ask: { type: "exception", policy: "p", object: { apiVersion: "v1", kind: "Pod", namespace: "ml", name: "x" }, until: 1 },
      },
      "ACCESS_BAD_REQUEST",
    ],
  ])("%s is refused", async (_, body, code) => {
    expect((await server.post("ada", requestsPath, body)).body).toMatchObject({ code });
  });

  test("a stranger has no access path", async () => {
    expect((await server.post("mal", requestsPath, { ask: deletePod() })).body).toMatchObject({ code: "ACCESS_NO_RULE" });
  });

  test("cancelling is the requester's, revoking also the approver's and the administrator's", async () => {
    const first = await pending();
    expect((await server.post("bob", at(first, "cancel"))).body).toMatchObject({ code: "ACCESS_NOT_REQUESTER" });
    expect((await server.post("ada", at(first, "cancel"))).body).toMatchObject({ phase: "cancelled" });
    for (const name of ["ada", "bob", "root"] as const) {
      const id = await pending();
      await server.post("bob", at(id, "approve"), {});
      expect((await server.post("odo", at(id, "revoke"), { why: "no" })).status).toBe(403);
      expect((await server.post(name, at(id, "revoke"), { why: "enough" })).body).toMatchObject({
        phase: "ended",
        ended: { why: "enough", by: { user: people[name].user } },
      });
      expect((await server.post(name, at(id, "revoke"), { why: "enough" })).body).toMatchObject({ code: "ACCESS_ENDED" });
    }
  });

  test("break-glass: at once, and looked at afterwards by those whom the rule names, not by any auditor", async () => {
    const ask = { type: "session", namespace: "ml", milliseconds: 600_000 };
    const { body } = await server.post("ada", requestsPath, { ask, reason: "INC-1", breakGlass: true });
    expect(body).toMatchObject({ phase: "granted", breakGlass: true, rule: { name: "emergency" } });
    const id = idOf(body);
    const toReview = async (name: Name) => idsOf((await server.get(name, `${requestsPath}?reviewable=true`)).body);
    expect((await server.get("odo", at(id))).body).toMatchObject({ mayReview: false, mayRevoke: false });
    expect((await server.get("root", at(id))).body).toMatchObject({ mayReview: false, mayRevoke: true });
    expect((await server.get("eve", at(id))).body).toMatchObject({
      mayReview: true,
      mayRevoke: true,
      reviewers: [{ name: "group:security" }],
    });
    expect([await toReview("eve"), await toReview("odo"), await toReview("ada")]).toEqual([[id], [], []]);
    expect((await server.get("mal", at(id))).status).toBe(404);
    expect((await server.post("ada", at(id, "review"), { comment: "fine" })).status).toBe(403);
    expect((await server.post("odo", at(id, "review"), { comment: "fine" })).body).toMatchObject({ code: "ACCESS_NOT_APPROVER" });
    expect((await server.post("root", at(id, "review"), { comment: "fine" })).body).toMatchObject({
      code: "ACCESS_NOT_APPROVER",
    });
    expect((await server.post("eve", at(id, "review"), { comment: "" })).status).toBe(400);
    expect((await server.post("odo", at(id, "revoke"), { why: "no" })).status).toBe(403);
    expect((await server.post("eve", at(id, "revoke"), { why: "enough" })).body).toMatchObject({
      phase: "ended",
      ended: { why: "enough", by: { user: people.eve.user } },
    });
    expect((await server.post("eve", at(id, "review"), { comment: "as it should be" })).body).toMatchObject({
      reviewed: { comment: "as it should be" },
      mayReview: false,
    });
    expect(await toReview("eve")).toEqual([]);
  });

  test("break-glass that nobody has looked at stays on the list, however many requests come after it", async () => {
    const ask = { type: "session", namespace: "ml", milliseconds: 600_000 };
    // Newer than what the test before asked for.
    world.clock.now += 1;
    const id = idOf((await server.post("ada", requestsPath, { ask, reason: "INC-2", breakGlass: true })).body);
    for (let i = 0; i < 3; i++) {
      world.clock.now += 1;
      const later = idOf((await server.post("ada", requestsPath, { ask: deletePod(`later-${i}`) })).body);
      await server.post("ada", at(later, "cancel"));
    }
    expect(idsOf((await server.get("odo", `${requestsPath}?breakGlass=true&limit=1`)).body)).toEqual([id]);
    expect(idsOf((await server.get("eve", `${requestsPath}?reviewable=true&limit=1`)).body)).toEqual([id]);
  });
});

describe("a Secret", () => {
  test("no digest by which its content could be tried is shown to anybody, nor that of what somebody else sends", async () => {
    const ask = {
      type: "action",
      method: "PATCH",
      target: "/api/v1/namespaces/ml/secrets/token",
      contentType: "application/merge-patch+json",
      body: Buffer.from('{"data":{"pin":"MTIzNA=="}}').toString("base64"),
    };
    const id = idOf((await server.post("ada", requestsPath, { ask })).body);
    const shown = async (name: Name) => {
      const { body } = await server.get(name, at(id));
      const of = (...path: readonly string[]) => valueAt(body, ["ask", ...path]);
      return [of("digest"), of("action", "pinned"), of("action", "http", "bodyDigest")];
    };
    const hidden = ["", { uid: "u1", digest: "" }];
    expect(await shown("ada")).toEqual([...hidden, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    for (const name of ["bob", "odo"] as const) expect(await shown(name)).toEqual([...hidden, ""]);
    // What it is bound to is kept all the same.
    expect(await server.desk.get(id)).toMatchObject({ ask: { digest: expect.stringMatching(/^[0-9a-f]{64}$/) } });
  });
});

describe("locks", () => {
  test("one who is locked asks for nothing; unlocked they may again", async () => {
    expect((await server.post("ada", "/api/v1/access/locks", { human: "mal", why: "x" })).status).toBe(403);
    const human = people.ada.human;
    expect((await server.post("root", "/api/v1/access/locks", { human: "nemo", why: "laptop stolen" })).status).toBe(404);
    expect((await server.post("root", "/api/v1/access/locks", { human, why: "laptop stolen" })).status).toBe(204);
    expect((await server.post("ada", requestsPath, { ask: deletePod("locked") })).body).toMatchObject({ code: "ACCESS_LOCKED" });
    expect((await server.get("odo", "/api/v1/access/locks")).body).toMatchObject({
      items: [{ human, why: "laptop stolen", by: "oidc:root" }],
    });
    expect((await server.ask("root", { method: "DELETE", path: `/api/v1/access/locks/${human}` })).status).toBe(204);
    world.clock.now += 1;
    expect((await server.post("ada", requestsPath, { ask: deletePod("locked") })).status).toBe(201);
    expect((await server.get("odo", "/api/v1/access/locks")).body).toEqual({ items: [] });
  });
});

describe("recordings", () => {
  test("T60: who looks at a recording is in the ledger, and only auditors do", async () => {
    const about = {
      kind: "exec",
      cluster: "prod",
      namespace: "ml",
      pod: "web-0",
      command: ["sh"],
      tty: true,
      protocol: "websocket v5.channel.k8s.io",
      person: people.ada,
      auditId: "a1",
    } as const;
    const begun = await recordings.begin(about);
    if (!begun.ok) throw new Error(begun.message);
    await begun.value.end("done");
    const { body } = await server.get("odo", "/api/v1/access/recordings?namespace=ml");
    const id = idOf(valueAt(body, ["items", 0]) ?? null);
    expect((await server.get("ada", `/api/v1/access/recordings/${id}`)).status).toBe(403);
    expect((await server.get("ada", `/api/v1/access/recordings/${id}/cast`)).status).toBe(403);
    expect((await server.get("odo", `/api/v1/access/recordings/${id}`)).body).toMatchObject({
      id,
      user: "oidc:ada",
      verified: true,
    });
    const viewed = async () =>
      (await recordsFrom(world.store.reading, 0, 10_000)).filter(
        ({ kind, outcome, actor }) => kind === "access.stream" && outcome === "viewed" && actor === "oidc:odo",
      ).length;
    const times = await viewed();
    const cast = await server.get("odo", `/api/v1/access/recordings/${id}/cast`);
    expect(cast.body).toMatchObject({ version: 2 });
    expect(await viewed()).toBe(times + 1);
    expect((await server.get("odo", "/api/v1/access/recordings/none/cast")).status).toBe(404);
  });
});

test("the OpenAPI document says what every route of access answers", async () => {
  const { body } = await server.get("ada", "/api/openapi.json");
  const paths = member(body, "paths");
  const named = Object.entries(isObject(paths) ? paths : {}).filter(([path]) => path.startsWith("/api/v1/access/"));
  expect(named.length).toBeGreaterThan(12);
  const silent = named.flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {})
      .filter(([, operation]) => {
        const ok = ["200", "201", "204"].map((status) => valueAt(operation, ["responses", status]));
        return (
          ok.every((one) => one === undefined) ||
          (valueAt(operation, ["responses", "200", "description"]) === "Default Response" &&
            valueAt(operation, ["responses", "200", "content"]) === undefined)
        );
      })
      .map(([method]) => `${method} ${path}`),
  );
  // An asciicast is text.
  expect(silent).toEqual(["get /api/v1/access/recordings/{id}/cast"]);
});
