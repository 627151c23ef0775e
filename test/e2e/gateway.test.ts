import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NewRecord } from "../../src/adapters/store/ledger-batch.ts";
import type { GuardrailJudge, GuardrailVerdict } from "../../src/server/gateway/parts.ts";
import {
  type AuditEvent,
  accessAs,
  asAdmin,
  GatewayStand,
  installGatewayRoles,
  person,
  startAuditedCluster,
} from "./gateway-stand.ts";

let audited: Awaited<ReturnType<typeof startAuditedCluster>>;
let stand: GatewayStand;
/** What guardrails say to the next calls. */
let verdicts: readonly GuardrailVerdict[] = [];

const guardrails: GuardrailJudge = {
  needs: ({ resource, verb }) => (resource === "configmaps" && verb !== "get" ? { object: true, oldObject: true } : undefined),
  judge: () => verdicts,
  onChange: () => () => {},
};

const configMap = (name: string, data: object = { a: "b" }) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "team" }, data });

beforeAll(async () => {
  audited = await startAuditedCluster();
  const { cluster } = audited;
  await installGatewayRoles(cluster);
  await asAdmin(cluster, ["create", "namespace", "team"]);
  await asAdmin(cluster, [
    "create",
    "clusterrole",
    "editor",
    "--verb=*",
    "--resource=configmaps,secrets,deployments.apps,pods,pods/log,pods/exec",
  ]);
  await asAdmin(cluster, ["create", "rolebinding", "editor", "-n", "team", "--clusterrole=editor", "--group=team"]);
  await asAdmin(cluster, ["create", "clusterrole", "viewer", "--verb=get,list,watch", "--resource=configmaps"]);
  await asAdmin(cluster, ["create", "clusterrolebinding", "viewer", "--clusterrole=viewer", "--group=viewers", "--user=bob"]);
  stand = new GatewayStand(cluster);
  stand.people.set("ada", person("ada", ["team"]));
  stand.people.set("vic", person("vic", ["viewers"]));
  stand.people.set("eve", person("eve"));
  await stand.start(accessAs(cluster, "bob"), { guardrails, limits: { streamsPerPerson: 4000 } });
});

afterAll(async () => {
  await stand?.stop();
  await audited?.stop();
});

beforeEach(() => {
  verdicts = [];
  stand.hold = 0;
  stand.desk.offers = false;
  stand.desk.live.clear();
  stand.desk.steps.length = 0;
});

/** The status of what a client keeps open, and its lines as they come. */
async function openWatch(name: string, path: string, accept = "application/json") {
  const agent = new Agent({ ca: stand.authority });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${name}-token`, accept };
    request(`https://127.0.0.1:${stand.port}${path}`, { agent, headers }, resolve).on("error", reject).end();
  });
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const closed = new Promise<void>((resolve) => response.once("close", resolve).on("error", () => {}));
  return {
    status: response.statusCode,
    lines: () => text.split("\n").filter((line) => line !== ""),
    closed,
    end: () => agent.destroy(),
  };
}

async function until(condition: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  for (const end = performance.now() + seconds * 1000; !(await condition()); ) {
    if (performance.now() > end) throw new Error(`it did not happen; troubles: ${stand.troubles.map(String).join("; ")}`);
    await sleep(20);
  }
}

describe("kubectl through the gateway", () => {
  test("creates, reads, applies on both sides, patches, replaces and deletes", async () => {
    const steps: readonly (readonly [readonly string[], string, RegExp])[] = [
      [["create", "-f", "-"], configMap("one"), /configmap\/one created/],
      [["get", "configmap", "one", "-n", "team", "-o", "jsonpath={.data.a}"], "", /^b$/],
      [["get", "configmaps", "-n", "team"], "", /NAME\s+DATA\s+AGE\none/],
      [["apply", "-f", "-"], configMap("two"), /configmap\/two created/],
      [["apply", "-f", "-"], configMap("two", { a: "c" }), /configmap\/two configured/],
      [["apply", "--server-side", "-f", "-"], configMap("three"), /configmap\/three serverside-applied/],
      [["patch", "configmap", "one", "-n", "team", "--type=merge", "-p", '{"data":{"x":"y"}}'], "", /configmap\/one patched/],
      [["patch", "configmap", "one", "-n", "team", "--type=json", "-p", '[{"op":"remove","path":"/data/x"}]'], "", /patched/],
      [["replace", "-f", "-"], configMap("one", { a: "z" }), /configmap\/one replaced/],
      [["delete", "configmap", "one", "two", "three", "-n", "team"], "", /configmap "one" deleted[\s\S]*"three" deleted/],
      [["api-resources", "--api-group=apps"], "", /deployments/],
      [["explain", "pod.spec.containers"], "", /FIELD: containers/],
      [["auth", "whoami"], "", /ada@example\.com[\s\S]*team/],
      [["auth", "can-i", "create", "pods", "-n", "team"], "", /^yes/],
    ];
    for (const [args, input, want] of steps) {
      const { code, text } = await stand.kubectl("ada", args, input);
      expect(text, args.join(" ")).toMatch(want);
      expect(code, args.join(" ")).toBe(0);
    }
  });

  test("the API server sees the person, constrained, under the gateway's audit ID", async () => {
    expect((await stand.kubectl("ada", ["get", "--raw", "/api/v1/namespaces/team/configmaps?limit=7"])).code).toBe(0);
    await until(async () => {
      const event = (await audited.events()).find((e) => e.requestURI.includes("limit=7") && e.stage === "ResponseComplete");
      if (event === undefined) return false;
      expect(event.user.username).toBe("bob");
      expect(event.impersonatedUser).toMatchObject({ username: "ada@example.com", groups: ["team", "system:authenticated"] });
      expect(event).toMatchObject({ authenticationMetadata: { impersonationConstraint: "impersonate:user-info" } });
      await until(() => stand.records.some((record) => record.data["auditID"] === event.auditID && record.outcome === "200"));
      return true;
    });
  });

  test("is told what it may not, in Kubernetes' words", async () => {
    const { code, text } = await stand.kubectl("eve", ["get", "secrets", "-n", "team"]);
    expect(code).toBe(1);
    expect(text).toContain('Error from server (Forbidden): user "eve@example.com" cannot list secrets in the namespace "team"');
  });
});

describe("requests and grants", () => {
  test("a call outside one's rights opens a request for exactly it, and says how to go on", async () => {
    stand.desk.offers = true;
    const { text } = await stand.kubectl("eve", ["delete", "configmap", "kube-root", "-n", "team"]);
    expect(text).toMatch(/request req-\d+ was opened for exactly this call under rule test and waits for approval/);
    expect(text).toMatch(/https:\/\/console\.example\.com\/access\/req-\d+/);
    expect(text).toMatch(/castellan request wait req-\d+/);
    const ask = stand.desk.opened.at(-1)?.ask;
    expect(ask).toMatchObject({
      type: "action",
      action: { verb: "delete", resource: "configmaps", name: "kube-root", namespace: "team" },
    });
  });

  test("with a grant it is forwarded once, with the rule's group, and pinned to the object it is about", async () => {
    await asAdmin(audited.cluster, ["create", "configmap", "granted", "-n", "team"]);
    await asAdmin(audited.cluster, [
      "create",
      "rolebinding",
      "granted",
      "-n",
      "team",
      "--clusterrole=editor",
      "--group=castellan:grant:test",
    ]);
    stand.desk.offers = true;
    await stand.kubectl("eve", ["delete", "configmap", "granted", "-n", "team"]);
    const asked = stand.desk.opened.at(-1)?.ask;
    expect(asked?.type === "action" && asked.action.pinned?.uid).toMatch(/^[0-9a-f-]{36}$/);
    stand.desk.grant([...stand.desk.requests.keys()].at(-1) ?? "", "eve");
    const { text } = await stand.kubectl("eve", ["delete", "configmap", "granted", "-n", "team"]);
    expect(text).toContain('configmap "granted" deleted');
    expect(stand.desk.steps).toEqual(["consumed", "sent", "done 200"]);
    let event: AuditEvent | undefined;
    await until(async () => {
      const events = await audited.events();
      event = events.find((e) => e.verb === "delete" && e.objectRef?.name === "granted" && e.responseStatus?.code === 200);
      return event !== undefined;
    });
    expect(event?.impersonatedUser).toMatchObject({
      username: "eve@example.com",
      groups: ["castellan:grant:test", "system:authenticated"],
    });
    expect(event?.impersonatedUser).toMatchObject({ extra: { "castellan.dev/grant": [expect.stringMatching(/^sealed-req-/)] } });
    expect((await stand.kubectl("eve", ["delete", "configmap", "granted", "-n", "team"])).text).toContain("waits for approval");
  });

  test("a held call completes when it is approved", async () => {
    await asAdmin(audited.cluster, ["create", "configmap", "held", "-n", "team"]);
    stand.desk.offers = true;
    stand.hold = 20_000;
    const before = stand.desk.opened.length;
    const running = stand.kubectl("eve", ["delete", "configmap", "held", "-n", "team", "--wait=false"]);
    await until(() => stand.desk.opened.length > before);
    await sleep(300);
    stand.desk.grant(`req-${stand.desk.opened.length}`, "eve");
    expect((await running).text).toContain('configmap "held" deleted');
  });

  test("a held call whose client has gone is not made", async () => {
    await asAdmin(audited.cluster, ["create", "configmap", "left", "-n", "team"]);
    stand.desk.offers = true;
    stand.hold = 20_000;
    const before = stand.desk.opened.length;
    const child = await stand.spawnKubectl("eve", ["delete", "configmap", "left", "-n", "team"]);
    await until(() => stand.desk.opened.length > before);
    child.kill("SIGKILL");
    await sleep(300);
    stand.desk.grant(`req-${stand.desk.opened.length}`, "eve");
    await sleep(500);
    expect(stand.desk.steps.filter((step) => step === "sent")).toEqual([]);
    expect(await asAdmin(audited.cluster, ["get", "configmap", "left", "-n", "team", "-o", "name"])).toContain("left");
  });

  test("T44 a held call whose credential has ended is not made", async () => {
    stand.people.set("tom", person("tom", [], { until: Date.now() + 1500 }));
    stand.desk.offers = true;
    stand.hold = 20_000;
    const before = stand.desk.opened.length;
    const asked = stand.ask("tom", "DELETE", "/api/v1/namespaces/team/configmaps/left");
    await until(() => stand.desk.opened.length > before);
    await sleep(1600);
    stand.desk.grant(`req-${stand.desk.opened.length}`, "tom");
    expect((await asked).status).toBe(401);
    expect(stand.desk.steps).toEqual(["consumed", "returned"]);
  });

  test("so many calls of one person wait at once, and so many in all; the next are answered, and room comes back", async () => {
    for (const name of ["hal", "ida"]) stand.people.set(name, person(name));
    stand.desk.offers = true;
    stand.hold = 20_000;
    const path = (name: string) => `/api/v1/namespaces/team/configmaps/${name}`;
    const before = stand.desk.opened.length;
    const waiting = ["hal", "hal", "hal", "ida"].map((name, i) => stand.ask(name, "DELETE", path(`waits-${i}`)));
    await until(() => stand.desk.opened.length === before + 4);
    await sleep(100);
    for (const name of ["hal", "ida"]) {
      const full = await stand.ask(name, "DELETE", path("full"));
      expect(full.status).toBe(403);
      expect(JSON.parse(full.body)).toMatchObject({
        kind: "Status",
        reason: "Forbidden",
        message: expect.stringContaining("waits for approval. It was not kept waiting, as too many calls wait already."),
        details: { causes: expect.arrayContaining([expect.objectContaining({ field: "command" })]) },
      });
    }
    stand.desk.end(`req-${before + 1}`, "denied");
    expect((await waiting[0])?.status).toBe(403);
    const again = stand.ask("ida", "DELETE", path("again"));
    await until(() => stand.desk.opened.length === before + 7);
    for (let i = 2; i <= 7; i++) stand.desk.end(`req-${before + i}`, "denied");
    const bodies = await Promise.all([...waiting.slice(1), again].map(async (one) => (await one).body));
    expect(bodies.map((text) => text.includes("not kept waiting"))).toEqual([false, false, false, false]);
  });

  test("a guardrail that denies ends the call; one that wants approval opens a request", async () => {
    verdicts = [{ guardrail: "hours", effect: "deny", message: "not now" }];
    const denied = await stand.kubectl("ada", ["create", "-f", "-"], configMap("guarded"));
    expect(denied.text).toContain("guardrail hours denies this: not now");
    verdicts = [{ guardrail: "hours", effect: "require-approval", message: "ask first" }];
    stand.desk.offers = true;
    const asked = await stand.kubectl("ada", ["create", "-f", "-"], configMap("guarded"));
    expect(asked.text).toContain("guardrail hours: ask first; request req-");
    expect(stand.desk.opened.at(-1)).toMatchObject({ guardrails: ["hours"], ask: { preview: { after: { data: { a: "b" } } } } });
  });
});

describe("streams", () => {
  test("T63 each event of a watch is there at once", async () => {
    const watch = await openWatch("ada", "/api/v1/namespaces/team/configmaps?watch=1&resourceVersion=0");
    await until(() => watch.lines().length > 0);
    for (let i = 0; i < 5; i++) {
      const before = watch.lines().length;
      await asAdmin(audited.cluster, ["create", "configmap", `event-${i}`, "-n", "team"]);
      await until(() => watch.lines().length > before, 1);
    }
    watch.end();
    await until(() => stand.streams?.size === 0);
  });

  test.each([
    ["T43 the grant ends", 410],
    ["T43 the request is revoked", 410],
    ["T45 the person is locked", 401],
    ["T44 the credential ends", 401],
    ["T45 the role is taken away", 410],
  ])("a watch is cut within a second when %s", async (what, code) => {
    const name = what.includes("grant") || what.includes("revoked") ? "eve" : "tim";
    await asAdmin(audited.cluster, [
      "create",
      "rolebinding",
      "tim",
      "-n",
      "team",
      "--clusterrole=viewer",
      "--user=tim@example.com",
    ]).catch(() => {});
    const ends = what.includes("credential") ? { until: Date.now() + 3000 } : {};
    stand.people.set("tim", person("tim", [], ends));
    stand.desk.offers = true;
    if (name === "eve") {
      await asAdmin(audited.cluster, [
        "create",
        "rolebinding",
        "eve-grant",
        "-n",
        "team",
        "--clusterrole=viewer",
        "--group=castellan:grant:test",
      ]).catch(() => {});
      await stand.kubectl("eve", ["get", "--raw", "/api/v1/namespaces/team/configmaps?watch=1"]);
      stand.desk.grant(`req-${stand.desk.opened.length}`, "eve", what.includes("grant") ? 2500 : 60_000);
    } else await until(async () => (await stand.ask("tim", "GET", "/api/v1/namespaces/team/configmaps?limit=1")).status === 200);
    const watch = await openWatch(name, "/api/v1/namespaces/team/configmaps?watch=1");
    expect(watch.status).toBe(200);
    await until(() => watch.lines().length > 0);
    if (what.includes("revoked")) stand.desk.end(`req-${stand.desk.opened.length}`, "revoked");
    if (what.includes("locked")) stand.desk.lockNow("tim");
    if (what.includes("role is")) await asAdmin(audited.cluster, ["delete", "rolebinding", "tim", "-n", "team"]);
    const start = performance.now();
    await watch.closed;
    expect(performance.now() - start).toBeLessThan(what.includes("ends") ? 4000 : 1000);
    const last = JSON.parse(watch.lines().at(-1) ?? "{}");
    expect(last).toMatchObject({ type: "ERROR", object: { kind: "Status", code } });
    stand.desk.locked.clear();
    const why = /grant .*has ended|revoked|locked|credential|rights/;
    const isEnd = (r: NewRecord) => r.kind === "access.stream" && r.outcome === "ended" && r.actor === `${name}@example.com`;
    await until(() => stand.records.some((r) => isEnd(r) && why.test(String(r.data["why"]))));
  });

  test("T43 a watch in protobuf is closed without a word that its client could not read", async () => {
    const watch = await openWatch(
      "ada",
      "/api/v1/namespaces/team/configmaps?watch=1",
      "application/vnd.kubernetes.protobuf;stream=watch",
    );
    await until(() => watch.lines().length > 0);
    stand.desk.lockNow("ada");
    await watch.closed;
    expect(watch.lines().join("")).not.toContain("Status");
    stand.desk.locked.clear();
  });

  test("3,000 watches leave room for a GET", async () => {
    const agent = new Agent({ ca: stand.authority, maxSockets: Number.POSITIVE_INFINITY });
    const open: IncomingMessage[] = [];
    const one = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { authorization: "Bearer vic-token" };
        const url = `https://127.0.0.1:${stand.port}/api/v1/namespaces/empty/configmaps?watch=1`;
        request(url, { agent, headers }, resolve).on("error", reject).end();
      });
    while (open.length < 3000) open.push(...(await Promise.all(Array.from({ length: 50 }, one))));
    expect(new Set(open.map((response) => response.statusCode))).toEqual(new Set([200]));
    expect(stand.streams?.size).toBe(3000);
    expect((await stand.ask("vic", "GET", "/api/v1/namespaces/team/configmaps?limit=1")).status).toBe(200);
    agent.destroy();
    await until(() => stand.streams?.size === 0);
  });
});

describe("records", () => {
  test("T65 while the database is down, standing reads wait in a bounded file and the rest is refused", async () => {
    stand.ledgerFault = new Error("the database is down");
    const path = "/api/v1/namespaces/team/configmaps";
    const write = await stand.ask("ada", "POST", path, ["Content-Type: application/json"], configMap("never"));
    expect(write.status).toBe(503);
    expect(write.body).toContain("this call cannot be recorded now, so it is not made");
    const marker = "limit=77";
    expect((await stand.ask("ada", "GET", `/api/v1/namespaces/team/configmaps?${marker}`)).status).toBe(200);
    await until(() => (stand.callRecords?.spooledBytes ?? 0) > 0);
    let refused = 200;
    for (let i = 0; i < 100 && refused === 200; i++) {
      refused = (await stand.ask("ada", "GET", `/api/v1/namespaces/team/configmaps?limit=1&fill=${"x".repeat(800)}`)).status;
      await sleep(30);
    }
    expect(refused).toBe(503);
    stand.ledgerFault = undefined;
    await until(() => stand.callRecords?.spooledBytes === 0);
    expect(stand.records.filter((r) => String(r.data["target"]).includes(marker))).toHaveLength(1);
    expect((await stand.ask("ada", "GET", "/api/v1/namespaces/team/configmaps?limit=1")).status).toBe(200);
    expect(await asAdmin(audited.cluster, ["get", "configmaps", "-n", "team", "-o", "name"])).not.toContain("never");
  });
});
