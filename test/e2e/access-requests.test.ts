import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpReceiver, startHttpReceiver } from "../access/receivers.ts";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePorts, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl, type Ran } from "./castellan-server.ts";
import { Laptop } from "./laptop.ts";

const identities = `
apiVersion: castellan.dev/v1alpha1
kind: Identities
developmentUsers:
  - {name: ana, groups: [data-science]}
  - {name: omar, groups: [platform-oncall]}
  - {name: sela, groups: [security]}
`;

const rules = (hook: string) => `
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: changes}
spec:
  requesters: {groups: [data-science]}
  verbs: [create, update, patch, delete]
  resources:
    - {apiGroups: [""], resources: [configmaps]}
    - {apiGroups: [apps], resources: [deployments, deployments/scale]}
  namespaces: [ml]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  approvals: [{from: ["group:platform-oncall"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: outage}
spec:
  requesters: {groups: [data-science]}
  asks: [session]
  namespaces: [ml]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 30m
  breakGlass: true
  approvals: [{from: ["group:security"]}]
---
apiVersion: castellan.dev/v1alpha1
kind: Notifications
spec:
  consoleUrl: https://castellan.example.com
  targets:
    - {name: hook, audience: [approvers, requester, page], webhook: {url: "${hook}", secret: {env: HOOK_SECRET}}}
`;

const configMap = (name: string, value: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: ml, labels: {team: "nlp"}}
data: {value: "${value}"}
`;

const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: ml}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ml}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1"}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: look, namespace: ml}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: data-science}]
---
${configMap("old", "1")}
---
${configMap("settings", "1")}
`;

let cluster: Cluster | NotAvailable;
let directory = "";
let server: CastellanServer;
let hook: HttpReceiver;

const laptops = new Map<string, Laptop>();

function laptop(name: "ana" | "omar" | "sela"): Laptop {
  const found = laptops.get(name);
  if (found === undefined) throw new Error(`${name} has none`);
  return found;
}

const command = (name: "ana" | "omar" | "sela", ...args: readonly string[]) => laptop(name).castellan(...args);

/** As the cluster's administrator, around the gateway. */
function apply(manifest: string): Promise<Ran> {
  if (!cluster.available) throw new Error(cluster.reason);
  return kubectl(cluster, ["apply", "-f", "-"], manifest);
}

function kubectlOfAna(...args: readonly string[]): Promise<Ran> {
  if (!cluster.available) throw new Error(cluster.reason);
  return laptop("ana").run(cluster.kubectl, ["-n", "ml", ...args]);
}

async function asked(...args: readonly string[]): Promise<string> {
  const { code, text } = await command("ana", "request", "create", "-n", "ml", "--reason", "INC-7", "-o", "json", ...args);
  if (code !== 0) throw new Error(text);
  return JSON.parse(text).id;
}

const approved = async (id: string) => expect(await command("omar", "approve", id, "--comment", "go")).toMatchObject({ code: 0 });

beforeAll(async () => {
  // It fills the roles that are made of others, such as edit.
  cluster = await startCluster({ controllerManager: true });
  if (!cluster.available) return;
  directory = await mkdtemp(join(tmpdir(), "castellan-requests-"));
  hook = await startHttpReceiver();
  for (const name of ["ana", "omar", "sela"]) {
    laptops.set(name, await Laptop.open(join(directory, name)));
  }
  await writeFile(join(directory, "identities.yaml"), identities);
  await writeFile(join(directory, "access.yaml"), rules(`${hook.url}/hook`));
  expect(await apply(objects)).toMatchObject({ code: 0 });
  const [port] = await freePorts(1);
  server = new CastellanServer(
    join(directory, "data"),
    [
      ...["--kubeconfig", cluster.kubeconfig, "--context", "admin"],
      ...["--identities", join(directory, "identities.yaml")],
      ...["--access", join(directory, "access.yaml")],
      ...["--gateway-listen", `127.0.0.1:${port}`],
    ],
    { HOOK_SECRET: "0123456789abcdef" },
  );
  await server.start();
  for (const name of ["ana", "omar", "sela"] as const)
    expect(await command(name, "login", "--server", server.origin, "--as", name)).toMatchObject({ code: 0 });
  expect(await command("ana", "kubeconfig", "--server", server.origin)).toMatchObject({ code: 0 });
  const install = [
    "access",
    "install",
    "-f",
    join(directory, "access.yaml"),
    "--yes",
    "--undo-file",
    join(directory, "undo.yaml"),
  ];
  process.env["KUBECONFIG"] = cluster.kubeconfig;
  try {
    const { runCli } = await import("../run-cli.ts");
    expect(await runCli(install)).toMatchObject({ code: 0 });
  } finally {
    delete process.env["KUBECONFIG"];
  }
});

afterAll(async () => {
  await server?.stop();
  await hook?.close();
  if (cluster.available) await cluster.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

describe("asked for on the command line, done by kubectl", () => {
  test("what was approved beforehand is what kubectl sends, and is done once", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const id = await asked("--", "delete", "configmap", "old", "--wait=false");
    expect(await command("omar", "request", "show", id)).toMatchObject({
      code: 0,
      text: expect.stringMatching(/delete configmaps\/old in ml[\s\S]*INC-7/),
    });
    await approved(id);
    expect(await kubectlOfAna("delete", "configmap", "old", "--wait=false")).toMatchObject({
      code: 0,
      text: expect.stringContaining("deleted"),
    });
    expect(await apply(configMap("old", "2"))).toMatchObject({ code: 0 });
    expect(await kubectlOfAna("delete", "configmap", "old", "--wait=false")).toMatchObject({
      code: 1,
      text: expect.stringMatching(/request \w+ was opened/),
    });
    expect(await command("ana", "request", "show", id)).toMatchObject({ text: expect.stringContaining("done") });
  });

  test("a scale, and no other", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    await approved(await asked("--", "scale", "deployment/web", "--replicas=3"));
    expect(await kubectlOfAna("scale", "deployment/web", "--replicas=4")).toMatchObject({ code: 1 });
    expect(await kubectlOfAna("scale", "deployment/web", "--replicas=3")).toMatchObject({ code: 0 });
  });

  test("a manifest, and no other", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const file = join(directory, "new.yaml");
    await writeFile(file, configMap("fresh", "1"));
    await approved(await asked("--from-manifest", file));
    await writeFile(file, configMap("fresh", "2"));
    expect(await kubectlOfAna("apply", "--server-side", "-f", file)).toMatchObject({ code: 1 });
    await writeFile(file, configMap("fresh", "1"));
    expect(await kubectlOfAna("apply", "--server-side", "-f", file)).toMatchObject({ code: 0 });
  });

  test("kubectl apply shows who decides what becomes of the object", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const file = join(directory, "applied.yaml");
    expect(await apply(configMap("applied", "1"))).toMatchObject({ code: 0 });
    await writeFile(file, configMap("applied", "2").replace('team: "nlp"', 'tier: "gold"'));
    const refused = await kubectlOfAna("apply", "-f", file);
    const id = /request (\w+) was opened/.exec(refused.text)?.[1] ?? refused.text;
    const { changes, ask } = JSON.parse((await command("omar", "request", "show", id, "-o", "json")).text);
    expect(ask.action.http.contentType).toBe("application/strategic-merge-patch+json");
    expect(changes).toEqual(
      expect.arrayContaining([
        { op: "replace", path: "/data/value", value: "2" },
        { op: "add", path: "/metadata/labels/tier", value: "gold" },
        { op: "remove", path: "/metadata/labels/team" },
        expect.objectContaining({ path: "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration" }),
      ]),
    );
    expect(changes).toHaveLength(4);
    expect((await command("omar", "request", "show", id)).text).toMatch(/What changes\n(.*\n)* {2}replace \/data\/value "2"\n/);
    await approved(id);
    expect(await kubectlOfAna("apply", "-f", file)).toMatchObject({ code: 0 });
    const { data, metadata } = JSON.parse((await kubectlOfAna("get", "configmap", "applied", "-o", "json")).text);
    expect([data, metadata.labels]).toEqual([ask.preview.after.data, ask.preview.after.metadata.labels]);
  });

  test("T37 what changed after it was asked for is asked for anew", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    await approved(await asked("--", "delete", "configmap", "settings", "--wait=false"));
    expect(await apply(configMap("settings", "2"))).toMatchObject({ code: 0 });
    expect(await kubectlOfAna("delete", "configmap", "settings", "--wait=false")).toMatchObject({ code: 1 });
  });

  test("break-glass: works at once, is told at once, ends when revoked, and is reviewed", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const change = ["annotate", "configmap", "settings", "--overwrite", "note=x"];
    expect((await kubectlOfAna(...change)).code).toBe(1);
    const id = await asked("--session", "outage", "--for", "10m", "--break-glass");
    expect(await kubectlOfAna(...change)).toMatchObject({ code: 0 });
    expect((await command("sela", "request", "list", "--to-review")).text).toContain(id);
    expect((await command("omar", "request", "list", "--to-review")).text).not.toContain(id);
    await expect
      .poll(() => hook.received.some(({ body }) => body.includes('"access.break-glass"') && body.includes(id)))
      .toBe(true);
    expect(await command("omar", "revoke", id, "--comment", "over")).toMatchObject({ code: 1 });
    expect(await command("sela", "revoke", id, "--comment", "over")).toMatchObject({ code: 0 });
    expect((await kubectlOfAna(...change, "--field-manager=again")).code).toBe(1);
    expect((await command("ana", "access", "review", id, "--comment", "fine")).code).toBe(1);
    expect((await command("omar", "access", "review", id, "--comment", "fine")).code).toBe(1);
    expect(await command("sela", "access", "review", id, "--comment", "as the incident says")).toMatchObject({ code: 0 });
  });

  test("who is told is taken up as the document changes; one that is wrong changes nothing", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const other = await startHttpReceiver();
    try {
      const file = join(directory, "access.yaml");
      const opened = async (name: string) => asked("--", "delete", "configmap", name, "--wait=false");
      const heard = (of: HttpReceiver, id: string) => of.received.some(({ body }) => body.includes(id));
      await writeFile(file, rules(`${other.url}/hook`));
      let count = 0;
      await expect
        .poll(async () => heard(other, await opened(`told-${count++}`)) || other.received.length > 0, { timeout: 30_000 })
        .toBe(true);
      await writeFile(file, rules("http://elsewhere.example.com/hook"));
      await sleep(2000);
      const id = await opened("told-still");
      await expect.poll(() => heard(other, id), { timeout: 15_000 }).toBe(true);
      expect(heard(hook, id)).toBe(false);
    } finally {
      await writeFile(join(directory, "access.yaml"), rules(`${hook.url}/hook`));
      await other.close();
    }
  });

  test("what was said of all this names no object's content", ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    const types = new Set(hook.received.map(({ body }) => JSON.parse(body).type));
    for (const type of ["access.opened", "access.approved", "access.ended"]) expect(types).toContain(type);
    expect(JSON.stringify(hook.received)).not.toMatch(/replicas|\\"value\\"/);
  });
});
