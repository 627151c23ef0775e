import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, freePorts, startCluster } from "../cluster/start.ts";
import { CastellanServer, kubectl, type Ran } from "./castellan-server.ts";
import { Laptop } from "./laptop.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

const identities = `
apiVersion: castellan.dev/v1alpha1
kind: Identities
developmentUsers:
  - {name: ana, groups: [data-science]}
  - {name: omar, groups: [platform-oncall, castellan:viewer]}
`;

/** Production is frozen whenever this runs. */
const access = `
apiVersion: castellan.dev/v1alpha1
kind: Schedule
metadata: {name: change-hours}
spec:
  timeZone: Europe/Berlin
  windows: [{days: [Mon, Tue, Wed, Thu], from: "09:00", to: "17:00"}]
  freezes: [{name: the long freeze, from: "2020-01-01", until: "2099-12-31"}]
---
apiVersion: castellan.dev/v1alpha1
kind: Guardrail
metadata: {name: production-hours}
spec:
  effect: require-approval
  message: production is changed in change hours only
  match: {namespaces: ["*-prod"]}
  excludeSubjects: {users: ["system:*"]}
  schedules: {outside: [change-hours]}
---
apiVersion: castellan.dev/v1alpha1
kind: AccessRule
metadata: {name: change-production}
spec:
  requesters: {groups: [data-science]}
  verbs: [update, patch]
  resources: [{apiGroups: [apps], resources: [deployments, deployments/scale]}]
  namespaces: ["*-prod"]
  role: {kind: ClusterRole, name: edit}
  maxDuration: 10m
  hold: 25s
  approvals: [{from: ["group:platform-oncall"]}]
`;

const objects = `
apiVersion: v1
kind: Namespace
metadata: {name: serving-prod}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ranker, namespace: serving-prod}
spec:
  replicas: 1
  selector: {matchLabels: {app: ranker}}
  template:
    metadata: {labels: {app: ranker}}
    spec: {containers: [{name: model, image: "registry.example.com/ranker:1"}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: data-science, namespace: serving-prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: data-science}]
`;

let cluster: Cluster | NotAvailable;
let browser: Browser;
let directory = "";
let server: CastellanServer;

let ana: Laptop;

function kubectlOfAna(...args: readonly string[]): Promise<Ran> {
  return ana.run(running().kubectl, args);
}

function running(): Cluster {
  if (!cluster.available) throw new Error(cluster.reason);
  return cluster;
}

const scale = () => kubectlOfAna("scale", "deployment/ranker", "-n", "serving-prod", "--replicas", "3");

async function replicas(): Promise<string> {
  return (await kubectl(running(), ["get", "deployment", "ranker", "-n", "serving-prod", "-o", "jsonpath={.spec.replicas}"]))
    .text;
}

beforeAll(async () => {
  cluster = await startCluster({ controllerManager: true });
  if (!cluster.available || executablePath === undefined) return;
  directory = await mkdtemp(join(tmpdir(), "castellan-flow-"));
  ana = await Laptop.open(join(directory, "ana"));
  await writeFile(join(directory, "identities.yaml"), identities);
  await writeFile(join(directory, "access.yaml"), access);
  expect((await kubectl(cluster, ["apply", "-f", "-"], objects)).code).toBe(0);
  const [port] = await freePorts(1);
  server = new CastellanServer(join(directory, "data"), [
    ...["--kubeconfig", cluster.kubeconfig, "--context", "admin"],
    ...["--identities", join(directory, "identities.yaml")],
    ...["--access", join(directory, "access.yaml")],
    ...["--gateway-listen", `127.0.0.1:${port}`],
  ]);
  await server.start();
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (cluster.available) await cluster.stop();
  if (directory !== "") await rm(directory, { recursive: true, force: true });
});

describe("a change of production at a forbidden hour", () => {
  test("is asked for, approved in the console, done once, and on the record", async ({ skip }) => {
    if (!cluster.available) skip(cluster.reason);
    if (executablePath === undefined) skip("there is no Chromium");
    // Her first steps: a login, a kubeconfig that skips no verification, and reads as usual.
    expect(await ana.castellan("login", "--server", server.origin, "--as", "ana")).toMatchObject({ code: 0 });
    expect(await ana.castellan("kubeconfig", "--server", server.origin)).toMatchObject({ code: 0 });
    expect(await kubectlOfAna("get", "deployments", "-n", "serving-prod")).toMatchObject({
      code: 0,
      text: expect.stringContaining("ranker"),
    });

    // The guardrail holds for who goes around the gateway, too.
    const around = await kubectl(running(), ["scale", "deployment/ranker", "-n", "serving-prod", "--replicas", "3"]);
    expect(around).toMatchObject({ code: 1, text: expect.stringContaining("production is changed in change hours only") });

    const scaling = scale();
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${server.origin}/login/as/omar`);
    await page.getByRole("link", { name: /To approve.*1/ }).click();
    await page.getByRole("heading", { name: /ana asks for/ }).waitFor();
    await page.getByText("scale").first().waitFor();
    await page.getByLabel("Comment").fill("the launch cannot wait");
    await page.getByRole("button", { name: /Approve/ }).click();
    const sure = page.getByRole("button", { name: "Yes, approve it" });
    if (await sure.isVisible().catch(() => false)) await sure.click();
    await page.getByText("Your approval is recorded").waitFor();
    const scaled = await scaling;
    expect(scaled).toMatchObject({ code: 0, text: expect.stringContaining("scaled") });
    expect(scaled.text).toMatch(/Warning: castellan: this waited \d+s for its approval: request \w+, approved by \S*omar/);
    expect(await replicas()).toBe("3");

    // The grant was for that one call: the same command asks again, and nobody approves.
    expect(await scale()).toMatchObject({ code: 1, text: expect.stringMatching(/request \w+ .*waits for approval/) });
    expect(await server.run("audit", "verify")).toMatchObject({ code: 0, text: expect.stringContaining("verified") });
    const told = (await server.run("audit", "export", "--actor", "*")).text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).record)
      .filter(({ kind }) => String(kind).startsWith("access."));
    const kinds = told.map(({ kind }) => kind);
    for (const kind of ["access.requested", "access.decided", "access.granted", "access.used"]) expect(kinds).toContain(kind);
    const decided = told.find(({ kind }) => kind === "access.decided");
    expect(JSON.stringify(decided)).toContain("the launch cannot wait");
    expect(decided.actor).toContain("omar");
    const audited = told.filter(({ kind, data }) => kind === "access.used" && data.auditId !== undefined);
    expect(audited.length).toBeGreaterThan(0);
  });
});
