import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Kubelet, startKubelet } from "../cluster/kubelet.ts";
import { type Cluster, freePorts, startCluster } from "../cluster/start.ts";
import { runCli } from "../run-cli.ts";
import { CastellanServer, kubectl, type Ran } from "./castellan-server.ts";
import { FetchBrowser } from "./fetch-browser.ts";

const castellan = join(import.meta.dirname, "../../src/cli/main.ts");

const identities = `
apiVersion: castellan.dev/v1alpha1
kind: Identities
developmentUsers:
  - {name: ana, groups: [data-science]}
  - {name: omar, groups: [platform-oncall]}
  - {name: uwe, groups: [strangers]}
`;

const access = (freeze: string) => `
apiVersion: castellan.dev/v1alpha1
kind: Guardrail
metadata: {name: production}
spec:
  effect: require-approval
  message: production wants an approval
  match: {namespaces: [prod], resources: [{apiGroups: [""], resources: [configmaps]}]}
  excludeSubjects: {groups: ["system:masters"]}
---
apiVersion: castellan.dev/v1alpha1
kind: Guardrail
metadata: {name: freeze}
spec:
  effect: deny
  message: nothing is changed now
  match: {namespaces: ["${freeze}"], resources: [{apiGroups: [""], resources: [configmaps, pods/exec]}]}
  excludeSubjects: {groups: ["system:masters"]}
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: changes}
spec:
  requesters: {groups: [data-science]}
  verbs: [create, update, patch, delete]
  resources: [{apiGroups: ["", "apps"], resources: [configmaps, secrets, pods, pods/exec, deployments, deployments/scale]}]
  namespaces: [ml, prod]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  hold: 25s
  approvals: [{from: ["group:platform-oncall"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: work}
spec:
  requesters: {groups: [data-science]}
  asks: [session]
  namespaces: [prod]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 30m
  approvals: [{from: ["group:platform-oncall"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: lab}
spec:
  requesters: {groups: [data-science]}
  verbs: ["*"]
  resources: [{apiGroups: ["*"], resources: ["*"]}]
  namespaces: [lab]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  conditions:
    - {name: rehearsals, when: "action.dryRun", result: approve}
    - {name: settings, when: "action.resource == 'configmaps'", result: approve}
  approvals: [{from: ["group:platform-oncall"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: looks}
spec:
  requesters: {groups: [data-science]}
  verbs: [get, list, watch]
  resources: [{apiGroups: ["*"], resources: ["*/*"]}]
  namespaces: [lab]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  autoApprove: true
`;

const configMap = (namespace: string, name: string, value: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: ${namespace}}
data: {value: "${value}"}
`;
const canary = "canary-7f3a9c";

const objects = `
${["ml", "prod", "lab"].map((name) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}`).join("\n---\n")}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: work, namespace: prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: data-science}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: look, namespace: ml}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: data-science}]
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: ml}
stringData: {password: "${canary}"}
---
${configMap("ml", "held", "1")}
---
${configMap("ml", "frozen", "1")}
---
${configMap("prod", "settings", "1")}
---
${configMap("lab", "kept", "1")}
---
apiVersion: v1
kind: Secret
metadata: {name: precious, namespace: lab}
stringData: {password: "${canary}"}
`;

let cluster: Cluster | NotAvailable;
let kubelet: Kubelet | NotAvailable;
let directory = "";
let port = 0;
let server: CastellanServer;
let token = "";
const agent = new Agent({ rejectUnauthorized: false });
const people = new Map<string, { readonly browser: FetchBrowser; readonly csrf: string }>();

function run(program: string, args: readonly string[]): Promise<Ran & { readonly out: string }> {
  const env = {
    ...process.env,
    HOME: directory,
    XDG_CACHE_HOME: join(directory, ".cache"),
    XDG_CONFIG_HOME: join(directory, ".config"),
    KUBECONFIG: join(directory, "config"),
    PATH: `${directory}:${process.env["PATH"]}`,
  };
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code: code ?? -1, text, out })));
}
const command = (...args: readonly string[]) => run(process.execPath, [castellan, ...args]);
const kubectlOfAna = (...args: readonly string[]) => run(cluster.available ? cluster.kubectl : "", args);
const admin = async (args: readonly string[], input?: string) => {
  if (!cluster.available) throw new Error(cluster.reason);
  return (await kubectl(cluster, args, input)).text;
};

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One call of Ana's to the gateway, byte for byte as it is said here. */
function call(
  method: string,
  path: string,
  body: string | Buffer = "",
  headers: { readonly [name: string]: string } = {},
): Promise<Answer> {
  const own = { authorization: `Bearer ${token}`, "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, agent, headers: { ...own, ...headers } }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += String(chunk)));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** As much of a request as is looked at here. */
interface Told {
  readonly id: string;
  readonly phase: string;
  readonly guardrails: readonly string[];
  readonly ask: { readonly action?: { readonly name: string; readonly resource: string; readonly pinned?: object } };
}

/** The console's API, as somebody's browser asks it. */
async function api(
  name: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly json: Told & { readonly items: readonly Told[] } }> {
  let known = people.get(name);
  if (known === undefined) {
    const browser = new FetchBrowser();
    await browser.open(`${server.origin}/login/as/${name}`);
    known = { browser, csrf: JSON.parse((await browser.open(`${server.origin}/api/v1/session`)).text).csrfToken };
    people.set(name, known);
  }
  const init = body && {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf-token": known.csrf },
  };
  const { status, text } = await known.browser.open(`${server.origin}/api/v1/access/${path}`, init);
  return { status, json: JSON.parse(text) };
}

/** What waits for Omar. */
async function waiting(matches: (request: Told) => boolean = () => true): Promise<Told> {
  for (let i = 0; i < 150; i++) {
    const { json } = await api("omar", "requests?decidable=true");
    const found = json.items.find(matches);
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error(`nothing waits; ${server.output}`);
}
const approve = async (id: string) => expect((await api("omar", `requests/${id}/approve`, { comment: "go" })).status).toBe(200);
const nothingLeft = async () => {
  for (const { id } of (await api("ana", "requests?mine=true")).json.items.filter((r) => r.phase === "pending"))
    await api("ana", `requests/${id}/cancel`, {});
};
const about = (name: string) => (one: Told) => one.ask.action?.name === name;
const json = { "content-type": "application/json" };
const merge = { "content-type": "application/merge-patch+json" };
const maps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;

beforeAll(async () => {
  cluster = await startCluster({ controllerManager: true, kubelet: true });
  if (!cluster.available) return;
  kubelet = await startKubelet(cluster);
  directory = await mkdtemp(join(tmpdir(), "castellan-attacks-"));
  await mkdir(join(directory, ".config"));
  await writeFile(join(directory, "castellan"), `#!/bin/sh\nexec "${process.execPath}" "${castellan}" "$@"\n`, { mode: 0o755 });
  await writeFile(join(directory, "identities.yaml"), identities);
  await writeFile(join(directory, "access.yaml"), access("nowhere"));
  await admin(["apply", "-f", "-"], objects);
  port = (await freePorts(1))[0] ?? 0;
  server = new CastellanServer(join(directory, "data"), [
    ...["--kubeconfig", cluster.kubeconfig, "--context", "admin"],
    ...["--identities", join(directory, "identities.yaml")],
    ...["--access", join(directory, "access.yaml")],
    ...["--gateway-listen", `127.0.0.1:${port}`],
  ]);
  await server.start();
  expect(await command("login", "--server", server.origin, "--as", "ana")).toMatchObject({ code: 0 });
  expect(await command("kubeconfig", "--server", server.origin)).toMatchObject({ code: 0 });
  token = JSON.parse((await command("kube-credential", "--server", server.origin)).out).status.token;
  process.env["KUBECONFIG"] = cluster.kubeconfig;
  try {
    const install = [
      "access",
      "install",
      "-f",
      join(directory, "access.yaml"),
      "--yes",
      "--undo-file",
      join(directory, "undo.yaml"),
    ];
    expect(await runCli(install)).toMatchObject({ code: 0 });
  } finally {
    delete process.env["KUBECONFIG"];
  }
}, 240_000);

afterAll(async () => {
  agent.destroy();
  await server?.stop();
  if (cluster.available && kubelet.available) await kubelet.stop();
  if (cluster.available) await cluster.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

describe("while a call is held", () => {
  test("T37 the object changes: what was approved is not done to another state of it", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const held = call("PATCH", `${maps("ml")}/held`, '{"data":{"value":"2"}}', merge);
    const { id } = await waiting(about("held"));
    await admin(["patch", "configmap", "held", "-n", "ml", "--type=merge", "-p", '{"data":{"owner":"somebody else"}}']);
    await approve(id);
    expect(await held).toMatchObject({ status: 403, text: expect.stringContaining("changed") });
    expect(await admin(["get", "configmap", "held", "-n", "ml", "-o", "jsonpath={.data.value}"])).toBe("1");
  });

  test("T47 a guardrail comes into force that denies it: it is not done", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const held = call("PATCH", `${maps("ml")}/frozen`, '{"data":{"value":"2"}}', merge);
    const { id } = await waiting(about("frozen"));
    await writeFile(join(directory, "access.yaml"), access("ml"));
    await sleep(3000);
    await approve(id);
    expect(await held).toMatchObject({ status: 403, text: expect.stringContaining("guardrail freeze denies this") });
    await writeFile(join(directory, "access.yaml"), access("nowhere"));
    await sleep(3000);
  });
});

describe("a grant", () => {
  test("for a session lifts no guardrail that wants an approval of the call itself", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const asked = await api("ana", "requests", {
      ask: { type: "session", namespace: "prod", milliseconds: 600_000 },
      reason: "work",
    });
    expect(asked.status).toBe(201);
    await approve(asked.json.id);
    const held = call("PATCH", `${maps("prod")}/settings`, '{"data":{"value":"2"}}', merge);
    const opened = await waiting(about("settings"));
    expect(opened.guardrails).toEqual(["production"]);
    await api("omar", `requests/${opened.id}/deny`, { comment: "no" });
    expect((await held).status).toBe(403);
    await api("ana", `requests/${asked.json.id}/revoke`, { why: "done" });
  });

  test("a deletion that only its query calls a dry run is none", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const options = JSON.stringify({ kind: "DeleteOptions", apiVersion: "v1" });
    const answer = await call("DELETE", "/api/v1/namespaces/lab/secrets/precious?dryRun=All", options, json);
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("waits for approval") });
    expect(await admin(["get", "secret", "precious", "-n", "lab", "-o", "name"])).toContain("precious");
    await nothingLeft();
  });

  test.each([
    ["gzip", gzipSync('{"metadata":{"name":"a"}}'), { ...json, "content-encoding": "gzip" }],
    ["protobuf", Buffer.from("k8s\0abc"), { "content-type": "application/vnd.kubernetes.protobuf" }],
    ["two members of one name", Buffer.from('{"metadata":{"name":"a"},"data":{"x":"1"},"data":{"y":"1"}}'), json],
  ])("no rule approves by itself what nobody can read: %s", async (_name, body, headers) => {
    if (!cluster.available) return;
    const answer = await call("POST", maps("lab"), body, headers);
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("could not be read") });
  });

  test("by a rule for reading leads into no pod", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol": "v5.channel.k8s.io",
    };
    const answer = await call("GET", "/api/v1/namespaces/lab/pods/x/exec?command=id&stdout=true", "", upgrade);
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining("No access rule offers this") });
  });
});

describe("the object that a request is bound to", () => {
  test("is no other resource that a name smuggles into the gateway's own read", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const answer = await call("DELETE", "/api/v1/namespaces/lab/secrets%3Fx=/precious", "", {});
    expect(answer.status).not.toBe(200);
    const { json: told } = await api("omar", "requests");
    expect(JSON.stringify(told)).not.toContain(canary);
    expect(JSON.stringify(told)).not.toContain(Buffer.from(canary).toString("base64"));
    await nothingLeft();
  });

  test.each([
    ["a patch that changes its kind", "PATCH", "/keys", '{"kind":"Thing"}', merge],
    [
      "a patch that copies values",
      "PATCH",
      "/keys",
      '[{"op":"copy","from":"/data/password","path":"/metadata/labels"}]',
      { "content-type": "application/json-patch+json" },
    ],
    ["a body without a kind", "POST", "", `{"metadata":{"name":"own"},"stringData":{"p":"${canary}"}}`, json],
  ])("shows no Secret's values: %s", async (_name, method, path, body, headers) => {
    if (!cluster.available) return;
    const held = call(method, `/api/v1/namespaces/ml/secrets${path}`, body, headers);
    const { id } = await waiting((one) => one.ask.action?.resource === "secrets");
    const seen = JSON.stringify((await api("omar", `requests/${id}`)).json);
    await api("omar", `requests/${id}/deny`, { comment: "no" });
    await held;
    expect(seen).not.toContain(canary);
    expect(seen).not.toContain(Buffer.from(canary).toString("base64"));
  });
});

describe("at the console", () => {
  test("a header that proves nothing does not stand for the token against cross-site requests", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    await api("ana", "requests");
    const cookie = `castellan_session=${people.get("ana")?.browser.cookie(server.origin, "castellan_session")}`;
    const send = (headers: { readonly [name: string]: string }) =>
      fetch(`${server.origin}/api/v1/access/requests`, {
        method: "POST",
        headers: { cookie, "content-type": "application/json", ...headers },
        body: JSON.stringify({ ask: { type: "session", namespace: "prod", milliseconds: 600_000 }, reason: "x" }),
      });
    expect((await send({})).status).toBe(403);
    expect((await send({ authorization: "Basic dXNlcjpwYXNz" })).status).toBe(401);
  });

  test("who has no part in a request sees nothing of it", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const { json: all } = await api("ana", "requests?mine=true");
    const [one] = all.items;
    expect(one).toBeDefined();
    expect((await api("uwe", "requests")).json.items).toEqual([]);
    for (const path of ["", "/wait?seconds=0"]) expect((await api("uwe", `requests/${one?.id}${path}`)).status).toBe(404);
    for (const act of ["approve", "deny", "cancel", "revoke"])
      expect((await api("uwe", `requests/${one?.id}/${act}`, {})).status).toBe(404);
    for (const path of ["locks", "notifications", "recordings"]) expect([403, 404]).toContain((await api("uwe", path)).status);
    expect((await api("omar", "locks", { human: "development#ana", why: "x" })).status).toBe(403);
  });
});

describe("at once", () => {
  test("T35 of twenty calls that were approved once, one is made", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const body = JSON.stringify({ metadata: { generateName: "once-", labels: { once: "yes" } } });
    const target = maps("ml");
    const asked = await api("ana", "requests", {
      ask: {
        type: "action",
        method: "POST",
        target,
        contentType: json["content-type"],
        body: Buffer.from(body).toString("base64"),
      },
      reason: "once",
    });
    expect(asked.status).toBe(201);
    await approve(asked.json.id);
    const calls = Array.from({ length: 20 }, () => call("POST", target, body, json));
    await waiting((request) => request.ask.action?.resource === "configmaps");
    await sleep(1000);
    expect((await admin(["get", "configmaps", "-n", "ml", "-l", "once=yes", "-o", "name"])).trim().split("\n")).toHaveLength(1);
    await nothingLeft();
    const made = (await Promise.all(calls)).filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
  });

  test("T45 who is locked out while a call of theirs is held has nothing done", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const held = call("DELETE", `${maps("ml")}/held`);
    const { id } = await waiting(about("held"));
    // What holds for nobody is not said to hold.
    const nobody = await server.run("access", "lock", "ana@example.com", "--reason", "gone");
    expect(nobody).toMatchObject({ code: 1, text: expect.stringContaining("nobody is known as ana@example.com") });
    expect(await server.run("access", "lock", "ana", "--reason", "gone")).toMatchObject({ code: 0 });
    await api("omar", `requests/${id}/approve`, { comment: "too late" });
    expect((await held).status).toBeGreaterThanOrEqual(400);
    expect(await call("GET", "/version")).toMatchObject({ status: 403 });
    expect(await admin(["get", "configmap", "held", "-n", "ml", "-o", "name"])).toContain("held");
    expect(await server.run("access", "unlock", "ana")).toMatchObject({ code: 0 });
    expect(await call("GET", "/version")).toMatchObject({ status: 200 });
  });
});

describe("a session in a pod", () => {
  const exec = (script: string) => kubectlOfAna("exec", "-n", "ml", "web", "--", "sh", "-c", script);
  const asked = async (script: string) => {
    const session = exec(script);
    const one = await waiting(about("web"));
    return { id: one.id, pinned: one.ask.action?.pinned, session };
  };

  test("that was approved once goes on while it lasts", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    if (!kubelet.available) return skip(kubelet.reason);
    await kubelet.runPod("ml", "web");
    const { id, pinned, session } = await asked("sleep 3; echo still here");
    expect(pinned).toBeDefined();
    await approve(id);
    expect(await session).toMatchObject({ code: 0, text: expect.stringContaining("still here") });
    await expect.poll(async () => (await api("omar", `requests/${id}`)).json.phase).toBe("ended");
  });

  test("T45 ends with the grant that it was opened with", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    if (!kubelet.available) return skip(kubelet.reason);
    const { id, session } = await asked("sleep 20; echo still here");
    await approve(id);
    await sleep(3000);
    const before = performance.now();
    expect((await api("omar", `requests/${id}/revoke`, { why: "enough" })).status).toBe(200);
    const ended = await session;
    expect(performance.now() - before).toBeLessThan(8000);
    expect(ended.text).not.toContain("still here");
    expect(ended.text).toContain("enough");
  });
});

describe("what is kept", () => {
  test("T61 holds no token and no Secret's value, nor does the log", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const files = await readdir(join(directory, "data"), { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile())) {
      const bytes = await readFile(join(file.parentPath, file.name));
      for (const secret of [token, canary, Buffer.from(canary).toString("base64")])
        expect(bytes.includes(secret), `${file.name} has ${secret.slice(0, 10)}`).toBe(false);
    }
    for (const name of ["castellan.db", "castellan.db-wal", "token-key.pem", "operator.json"])
      expect((await stat(join(directory, "data", name))).mode & 0o077, name).toBe(0);
    for (const secret of [token, canary]) expect(server.output).not.toContain(secret);
  });
});
