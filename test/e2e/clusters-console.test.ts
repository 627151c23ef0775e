import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FrameLocator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NotAvailable } from "../cluster/binaries.ts";
import { type Cluster, startCluster } from "../cluster/start.ts";
import { violations } from "./accessibility.ts";
import { CastellanServer, kubectl } from "./castellan-server.ts";
import { type ConsoleBrowser, canBrowse, openConsole } from "./console-browser.ts";
import { joinedKubeconfig } from "./joined-kubeconfig.ts";
import { configMap, requireTeam } from "./require-team.ts";

const names = ["training", "serving"] as const;
const auditTeam = requireTeam.replace("Enforce", "Audit");
let clusters: readonly (Cluster | NotAvailable)[] = [];
let directory = "";
let server: CastellanServer;
let console: ConsoleBrowser;

function running(index: number): Cluster {
  const cluster = clusters[index];
  if (cluster?.available !== true) throw new Error(cluster?.reason ?? "not started");
  return cluster;
}

async function apply(index: number, ...objects: readonly object[]): Promise<void> {
  const { code, text } = await kubectl(
    running(index),
    ["apply", "-f", "-"],
    objects.map((one) => JSON.stringify(one)).join("\n---\n"),
  );
  if (code !== 0) throw new Error(text);
}

/** A workload with an address of its own. */
const pod = (namespace: string, name: string, ip: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app: name } },
  spec: { containers: [{ name: "c", image: "registry.example/c:1" }] },
  status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
});

const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

/** Only what is named may call the app. */
const onlyFrom = (space: string, app: string, caller: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: app, namespace: space },
  spec: {
    podSelector: { matchLabels: { app } },
    policyTypes: ["Ingress"],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: caller } } }] }],
  },
});

/** Of Linux's connection table. */
const flow = (from: string, to: string) =>
  `tcp      6 431999 ESTABLISHED src=${from} dst=${to} sport=45678 dport=443 src=${to} dst=${from} sport=443 dport=45678 [ASSURED] use=1\n`;

describe.skipIf(!canBrowse)("the console of several clusters in a real browser", () => {
  beforeAll(async () => {
    clusters = await Promise.all(names.map(() => startCluster()));
    if (clusters.some((cluster) => !cluster.available)) return;
    for (const [index, name] of names.entries()) {
      await apply(index, namespace(`${name}-apps`));
      const apps = [
        [`${name}-db`, `10.1.${index}.1`],
        [`${name}-api`, `10.1.${index}.2`],
        [`${name}-batch`, `10.1.${index}.3`],
      ] as const;
      for (const [app, ip] of apps) {
        const { status, ...rest } = pod(`${name}-apps`, app, ip);
        await apply(index, rest);
        const patch = ["patch", "pod", app, "-n", `${name}-apps`, "--subresource=status", "-p", JSON.stringify({ status })];
        await kubectl(running(index), patch);
      }
      await apply(index, onlyFrom(`${name}-apps`, `${name}-db`, `${name}-api`));
    }
    directory = await mkdtemp(join(tmpdir(), "castellan-clusters-console-"));
    await writeFile(
      join(directory, "kubeconfig"),
      joinedKubeconfig(new Map([...names.entries()].map(([index, name]) => [name, running(index)]))),
    );
    await writeFile(join(directory, "policy.yaml"), auditTeam);
    await writeFile(join(directory, "training.txt"), flow("10.1.0.2", "10.1.0.1"));
    await writeFile(join(directory, "serving.txt"), flow("10.1.1.3", "10.1.1.1"));
    server = new CastellanServer(join(directory, "data"), [
      ...["--kubeconfig", join(directory, "kubeconfig"), "--policies", join(directory, "policy.yaml")],
      ...names.flatMap((name) => ["--context", name]),
      ...["--flows", join(directory, "training.txt"), "--flows", `serving=${join(directory, "serving.txt")}`],
    ]);
    await server.start();
    console = await openConsole(server);
  });

  afterAll(async () => {
    await console?.close();
    await server?.stop();
    await Promise.all(clusters.map(async (cluster) => cluster.available && cluster.stop()));
    if (directory !== "") await rm(directory, { recursive: true, force: true });
  });

  const mapOf = (name: string): FrameLocator => console.page.frameLocator(`iframe[title="Who may talk to whom in ${name}"]`);
  const choose = async (name: string) => {
    await console.page.getByRole("combobox", { name: "Cluster" }).click();
    await console.page.getByRole("option", { name }).click();
  };

  test("the map is that of every cluster, or of the chosen one, by the menu and by the address", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.goto(`${origin}/network`);
    for (const name of names)
      await mapOf(name)
        .getByRole("heading", { name: `Network of ${name}` })
        .waitFor();
    await choose("serving");
    await page.waitForURL(/cluster=serving/);
    await expect.poll(() => page.locator("iframe").count()).toBe(1);
    const map = mapOf("serving");
    await map.getByRole("link", { name: "serving-apps/serving-db", exact: true }).waitFor();
    expect(await map.getByText("training").count()).toBe(0);
    await page.reload();
    await map.getByRole("heading", { name: "Network of serving" }).waitFor();
    expect(await page.locator("iframe").count()).toBe(1);

    await page.goto(`${origin}/network`);
    await page.getByRole("main").getByRole("link", { name: "training", exact: true }).click();
    await page.waitForURL(/cluster=training/);
    await expect.poll(() => page.locator("iframe").count()).toBe(1);
  });

  test("what is looked at in a map is in the address, and stays while the map is drawn anew", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.goto(`${origin}/network?cluster=serving`);
    const map = mapOf("serving");
    await map.getByRole("link", { name: "serving-apps/serving-db", exact: true }).click();
    await page.waitForURL(/at=focus/);
    await page.reload();
    const callers = map.locator("#focus table", { hasText: "May call it" });
    await callers.getByText("serving-apps/serving-api").waitFor();
    expect(await callers.getByText("serving-batch").count()).toBe(0);
    await apply(1, onlyFrom("serving-apps", "serving-db", "serving-batch"));
    await callers.getByText("serving-apps/serving-batch").waitFor();
    expect(await callers.getByText("serving-apps/serving-api").count()).toBe(0);
    await apply(1, onlyFrom("serving-apps", "serving-db", "serving-api"));
  });

  test("the API asks which map is meant, and knows no other", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const ask = (query: string) =>
      console.page.evaluate(async (at) => {
        const answer = await fetch(at);
        return `${answer.status} ${(await answer.text()).slice(0, 200)}`;
      }, `/api/v1/network.html${query}`);
    expect(await ask("")).toMatch(/^400 .*CLUSTER_NEEDED.*training, serving/);
    expect(await ask("?cluster=nowhere")).toMatch(/^404 /);
    expect(await ask("?cluster=training")).toMatch(/^200 <!doctype html>/);
  });

  test("a right that is given shows without reload, though nothing is wrong with it", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.goto(`${origin}/rights?verb=get&resource=configmaps&namespace=serving-apps&cluster=serving`);
    await page.getByText(/^\d+ ways;/).waitFor();
    const row = page.getByRole("row", { name: /User rita/ });
    expect(await row.count()).toBe(0);
    const rbac = "rbac.authorization.k8s.io";
    await apply(
      1,
      {
        apiVersion: `${rbac}/v1`,
        kind: "Role",
        metadata: { name: "reader", namespace: "serving-apps" },
        rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: "RoleBinding",
        metadata: { name: "reader", namespace: "serving-apps" },
        roleRef: { apiGroup: rbac, kind: "Role", name: "reader" },
        subjects: [{ apiGroup: rbac, kind: "User", name: "rita" }],
      },
    );
    await row.waitFor();
    await kubectl(running(1), ["delete", "rolebinding", "reader", "-n", "serving-apps"]);
    await row.waitFor({ state: "detached" });
  });

  test("findings come and go in the list as objects and policies change, without reload", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.goto(`${origin}/findings?text=require-team+seen-live`);
    await page.getByText(/^0 findings:/).waitFor();
    await page.evaluate(() => Object.assign(globalThis, { sinceLoaded: true }));
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`ConfigMap seen-live ${name}`) });
    for (const index of names.keys()) await apply(index, JSON.parse(configMap("seen-live")));
    for (const name of names) await row(name).waitFor();
    await page.getByText(/^2 findings:/).waitFor();
    await choose("serving");
    await page.getByText(/^1 finding:/).waitFor();
    await row("serving").getByRole("link").click();
    await page.getByRole("dialog").getByText("label team is required").waitFor();
    await page.keyboard.press("Escape");
    await apply(1, JSON.parse(configMap("seen-live", { team: "nlp" })));
    await page.getByText(/^0 findings:/).waitFor();
    await page.getByRole("button", { name: "Clear" }).or(page.locator(".mantine-Select-section button")).first().click();
    await row("training").waitFor();
    await writeFile(join(directory, "policy.yaml"), auditTeam.replace("label team is required", "say whose it is"));
    await row("training").getByText("say whose it is").waitFor();
    expect(await page.evaluate(() => "sinceLoaded" in globalThis)).toBe(true);
  });

  test("each log of flows is of its cluster, and the page shows all or one", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.goto(`${origin}/network?show=flows`);
    const row = (name: string) => page.getByRole("row", { name: new RegExp(`${name}-apps/`) });
    await row("training").getByText("allowed", { exact: true }).waitFor();
    await row("serving").getByText("but the network let it pass").waitFor();
    await choose("training");
    await expect.poll(() => row("serving").count()).toBe(0);
    expect(await row("training").count()).toBe(1);
  });

  test("a cluster is chosen on a small screen, too", async ({ skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.setViewportSize({ width: 320, height: 640 });
    try {
      await page.goto(`${origin}/findings`);
      await choose("serving");
      await page.waitForURL(/cluster=serving/);
      await console.picture("clusters-small");
      const last = await page.getByRole("button", { name: /colours/ }).boundingBox();
      expect((last?.x ?? 0) + (last?.width ?? 999)).toBeLessThanOrEqual(320);
    } finally {
      await page.setViewportSize({ width: 1360, height: 900 });
    }
  });

  test.for(["light", "dark"] as const)("pages of several clusters are accessible in %s", async (colorScheme, { skip }) => {
    if (clusters.some((cluster) => !cluster.available)) skip();
    const { page, origin } = console;
    await page.emulateMedia({ colorScheme });
    for (const [path, text] of [
      ["/", "By team"],
      ["/findings", "What is wrong"],
      ["/rights?verb=get&resource=secrets", "ways;"],
      ["/rights?show=paths&to=node", "there"],
      ["/network", "training"],
      ["/network?cluster=serving&at=focus%3Dserving-apps%252Fserving-db%255BPod%255D", "What policies allow"],
      ["/network?show=flows", "but the network let it pass"],
    ] as const) {
      await page.goto(`${origin}${path}`);
      await page.getByRole("main").getByText(text).first().waitFor();
      if (path.startsWith("/network") && !path.includes("flows"))
        await mapOf("serving").getByRole("heading", { level: 1 }).waitFor();
      expect(await violations(page), path).toEqual([]);
      await console.picture(`clusters-${colorScheme}${path.replaceAll(/\W+/g, "-").slice(0, 30)}`);
    }
    expect(console.problems).toEqual([]);
  });
});
