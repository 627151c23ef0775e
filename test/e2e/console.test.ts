import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page, type Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { violations } from "./accessibility.ts";

const root = join(import.meta.dirname, "../..");
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const isBuilt = existsSync(join(root, "dist/web/index.html"));
if (process.env["CI"] === "true" && (executablePath === undefined || !isBuilt))
  throw new Error("the console needs Chromium and its build");

let directory = "";
let server: ChildProcess | undefined;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let origin = "";
const problems: string[] = [];

const teamPolicy = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-cost-centre, annotations: {policies.kyverno.io/title: Cost centre}}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [Service]}}]}
      validate: {failureAction: Audit, message: "label cost-centre is required", pattern: {metadata: {labels: {cost-centre: "?*"}}}}
`;

/** Addresses, and what is to be seen there. */
const everyPage = [
  ["/", "By team"],
  ["/findings", "What is wrong"],
  ["/findings?group=team", "in 4 groups"],
  ["/findings?page=2", "What is wrong"],
  ["/policies", "Your own policies"],
  ["/rights", "Ask who can do something."],
  ["/rights?verb=get&resource=secrets", "ways;"],
  ["/rights?show=paths&to=node", "4 identities get there"],
  ["/playground", "every container needs a memory limit"],
  ["/network", "Network"],
  ["/network?show=flows", "but the network let it pass"],
  ["/audit", "Outcome"],
  ["/no/such/page", "There is no such page"],
] as const;

interface Answer {
  readonly items?: readonly { readonly id: string; readonly kind: string }[];
  readonly object?: { readonly data?: object; readonly stringData?: object };
}

describe.skipIf(executablePath === undefined || !isBuilt)("the console in a real browser", () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-console-"));
    await writeFile(join(directory, "policies.yaml"), teamPolicy);
    const args = [
      "serve",
      "--files",
      join(root, "examples/ai-platform/as-written"),
      "--flows",
      join(root, "examples/ai-platform/recorded/flows.jsonl"),
      "--policies",
      join(directory, "policies.yaml"),
      "--data",
      join(directory, "data"),
      "--listen",
      "127.0.0.1:0",
    ];
    const child = spawn(process.execPath, [join(root, "src/cli/main.ts"), ...args], { stdio: ["ignore", "ignore", "pipe"] });
    server = child;
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.stderr.on("data", (chunk) => {
        text += String(chunk);
        const found = /http:\/\/\S+/.exec(text)?.[0];
        if (found !== undefined) resolve(found);
      });
      child.once("exit", () => reject(new Error(text)));
    });
    origin = new URL(url).origin;
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(url);
  });

  afterAll(async () => {
    await browser.close();
    server?.kill("SIGTERM");
    await rm(directory, { recursive: true, force: true });
  });

  test.each(["light", "dark"] as const)("every page is accessible in %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const [path, text] of everyPage) {
      await page.goto(`${origin}${path}`);
      await page.getByText(text).first().waitFor();
      expect(await violations(page), path).toEqual([]);
    }
    expect(problems).toEqual([]);
  });

  test("on a small screen no page is wider than that, and what is scrolled is reached by keyboard", async () => {
    const small = await context.newPage();
    await small.setViewportSize({ width: 320, height: 640 });
    for (const [path, text] of everyPage) {
      await small.goto(`${origin}${path}`);
      // Heads of tables are not shown where rows stand under each other.
      await small.getByText(text).first().waitFor({ state: "attached" });
      expect(await small.evaluate("document.documentElement.scrollWidth"), path).toBe(320);
      expect(await violations(small), path).toEqual([]);
    }
    await small.close();
  });

  test.each(["light", "dark"] as const)("what opens over a page is accessible in %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const dialog = page.getByRole("dialog");
    for (const [path, open, text] of [
      ["/findings?text=api-gateway+runAsNonRoot", page.getByRole("link", { name: "Deployment api-gateway" }), "lines added"],
      ["/findings?text=vector-db+hostPath", page.getByRole("link", { name: "StatefulSet vector-db" }), "persistent volume claim"],
      ["/policies", page.getByRole("button", { name: "Roll out" }).first(), "Enforced, it would stop"],
      ["/audit", page.getByRole("button", { name: "Evidence of record 0", exact: true }), "Save the proof"],
    ] as const) {
      await page.goto(`${origin}${path}`);
      await open.click();
      await dialog.getByText(text).first().waitFor();
      expect(await violations(page), path).toEqual([]);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
    }
  });

  test.each(["light", "dark"] as const)("the map of the network is accessible in %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const at = encodeURIComponent("focus=nlp%2Fvector-db%5BStatefulSet%5D");
    for (const path of ["/network", `/network?at=${at}`]) {
      await page.goto(`${origin}${path}`);
      const heading = page
        .frameLocator("iframe")
        .getByRole("heading", { name: path === "/network" ? "Namespaces" : "nlp/vector-db" });
      await heading.waitFor();
      const map = page.frames().find((frame) => frame.url().includes("/network.html"));
      expect(map && (await violations(map)), path).toEqual([]);
    }
  });

  test("the overview shows teams, and what waits for a person until it is done", async () => {
    await page.goto(origin);
    const waiting = page.getByRole("region", { name: "What needs a person now" });
    await waiting.getByText("Nothing waits for anybody.").waitFor();
    await writeFile(join(directory, "policies.yaml"), teamPolicy.replace('"?*"', '"{{ foo( }}"'));
    await waiting.getByRole("link", { name: /The newest text of .*require-cost-centre does not compile/ }).waitFor();
    await writeFile(join(directory, "policies.yaml"), teamPolicy);
    await waiting.getByText("Nothing waits for anybody.").waitFor();
    await page.getByRole("link", { name: "nlp" }).first().click();
    await page.getByText("of team nlp").waitFor();
  });

  test("no page of the menu is refused, and who is logged in is named", async () => {
    const refused: string[] = [];
    const note = (response: { status(): number; url(): string }) => {
      if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
    };
    page.on("response", note);
    await page.goto(origin);
    await page.getByText("operator", { exact: true }).waitFor();
    const links = await page.getByRole("navigation").getByRole("link").all();
    const paths = await Promise.all(links.map((link) => link.getAttribute("href")));
    expect(paths.length).toBeGreaterThan(10);
    const titles = new Set<string>();
    for (const path of paths) {
      await page.goto(`${origin}${path}`);
      await page.getByRole("heading", { level: 2 }).first().waitFor();
      await page.getByLabel("Loading").first().waitFor({ state: "detached" });
      titles.add(await page.title());
    }
    expect(titles.size).toBe(paths.length);
    page.off("response", note);
    expect(refused).toEqual([]);
  });

  test("who is logged out, who may not see it and who lost the server is told which of these it is", async () => {
    const alert = page.getByRole("alert");
    const answers = async (act: Parameters<Page["route"]>[1], title: string) => {
      await page.route("**/api/v1/findings*", act);
      await page.getByLabel("Words").fill(title.slice(0, 5));
      await alert.getByText(title).waitFor();
      await alert.getByText("What is shown below is from before.").waitFor();
      await page.unroute("**/api/v1/findings*");
    };
    const refuse = (status: number, message: string) => (route: Route) =>
      route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ code: "X", message }) });
    await page.goto(`${origin}/findings`);
    await page.getByText("What is wrong").waitFor();
    await answers(refuse(403, "this needs the role auditor"), "This is not yours to see");
    await answers((route) => route.abort(), "The server cannot be reached");
    await answers(refuse(401, "log in"), "You are not logged in");
    expect(await alert.getByRole("link", { name: "Log in" }).getAttribute("href")).toBe("/login");
    expect(await violations(page)).toEqual([]);
  });

  test("a finding is found, explained at its own address, and leads back", async () => {
    await page.goto(`${origin}/findings`);
    await page.getByLabel("Words").fill("vector-db hostPath");
    await page.getByText(/^1 finding:/).waitFor();
    await page.getByRole("link", { name: "StatefulSet vector-db" }).click();
    await page.getByText("Use a persistent volume claim").waitFor();
    expect(page.url()).toMatch(/\/findings\/[0-9a-f]+\?text=vector-db/);
    await page.reload();
    await page.getByText("Use a persistent volume claim").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.waitForURL(/\/findings\?text=/);
  });

  test("a fix is shown as a diff of the object, and the line where something is missing is marked", async () => {
    await page.goto(`${origin}/findings?text=api-gateway+runAsNonRoot`);
    await page.getByRole("link", { name: "Deployment api-gateway" }).click();
    await page.getByText("lines added: 2, removed: 0").waitFor();
    const diff = page.getByRole("region", { name: "What changes" });
    const lines = await diff.locator("pre > div").allTextContents();
    expect(lines.filter((line) => line.startsWith("+")).map((line) => line.slice(1).trim())).toEqual([
      "securityContext:",
      "runAsNonRoot: true",
    ]);
    const marked = page.getByRole("region", { name: "The object" }).locator("div[style*='red-filled']");
    expect(await marked.allTextContents()).toEqual([expect.stringContaining("- name: gateway")]);
    expect(await violations(page)).toEqual([]);
  });

  test("findings are grouped, a group leads to its findings, and the address holds both", async () => {
    await page.goto(`${origin}/findings?status=fail`);
    await page.getByLabel("Group by").first().click();
    await page.getByRole("option", { name: "team" }).click();
    await page.waitForURL(/group=team/);
    await page.reload();
    const row = page.getByRole("row", { name: /^nlp/ });
    await row.waitFor();
    const cells = await row.getByRole("cell").allTextContents();
    await row.getByRole("link", { name: "nlp" }).click();
    await page.waitForURL(/team=nlp/);
    expect(page.url()).not.toContain("group=");
    await page.getByText("of team nlp").waitFor();
    await page.getByText(`${cells.at(-1)} findings: ${cells.at(-1)} failures, 0 warnings`).waitFor();
    await page.goBack();
    await row.waitFor();
  });

  test("the list goes on page by page, and a filter begins anew", async () => {
    await page.goto(`${origin}/findings`);
    const total = Number(/^\d+/.exec((await page.getByText(/^\d+ findings:/).textContent()) ?? "")?.[0]);
    expect(total).toBeGreaterThan(100);
    await page.getByRole("button", { name: "Page 2", exact: true }).click();
    await page.waitForURL(/page=2/);
    await expect.poll(() => page.getByRole("row").count()).toBe(1 + total - 100);
    await page.getByLabel("Words").fill("vector-db");
    await page.waitForURL((url) => !url.searchParams.has("page"));
  });

  test("the playground judges as one types, with the engine of admission", async () => {
    await page.goto(`${origin}/playground`);
    await page.getByRole("cell", { name: "every container needs a memory limit" }).waitFor();
    const objects = page.getByLabel("Objects (YAML)");
    await objects.fill(`${(await objects.inputValue()).trimEnd()}\n          memory: 64Gi\n`);
    await page.getByText("pass", { exact: true }).waitFor();
    await page.getByLabel("Policies (YAML)").fill("kind: [");
    await page.getByText("What could not be read").waitFor();
    expect(problems).toEqual([]);
  });

  test("a policy is enforced only after its preview was seen, and with a reason where it stops somebody", async () => {
    await page.goto(`${origin}/policies`);
    const row = page.getByRole("row", { name: /Cost centre/ });
    await row.getByText("audit", { exact: true }).waitFor();
    await row.getByRole("cell", { name: /^[1-9]\d* failed$/ }).waitFor();
    await row.getByRole("cell", { name: /^[\d.]+ (µs|ms)$/ }).waitFor();
    await row.getByRole("button", { name: "Roll out" }).click();
    const dialog = page.getByRole("dialog", { name: "Cost centre" });
    await dialog.getByText(/Enforced, it would stop [1-9]/).waitFor();
    await dialog
      .getByRole("cell", { name: /label cost-centre is required/ })
      .first()
      .waitFor();
    await dialog.getByText("enforce", { exact: true }).click();
    expect(await dialog.getByRole("button", { name: "Change the mode" }).isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    await dialog.getByLabel("Why").fill("agreed with every team");
    await dialog.getByRole("button", { name: "Change the mode" }).click();
    await row.getByText("enforce", { exact: true }).waitFor();
  });

  test("a record shows the text that the tree holds and its proof", async () => {
    await page.goto(`${origin}/audit`);
    await page.getByRole("button", { name: "Evidence of record 0", exact: true }).click();
    await page.getByText("Save the proof").waitFor();
    await page.getByText("castellan/ledger").first().waitFor();
    expect(page.url()).toContain("record=0");
    await page.reload();
    const dialog = page.getByRole("dialog", { name: "Record 0" });
    await dialog.getByText("Save the proof").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(page.url()).not.toContain("record=");
  });

  test("the values of a Secret are nowhere", async () => {
    const ask = async (path: string): Promise<Answer> =>
      JSON.parse(await page.evaluate(async (at) => (await fetch(at)).text(), path));
    const secrets = ((await ask("/api/v1/findings?limit=1000")).items ?? []).filter((item) => item.kind === "Secret");
    expect(secrets.length).toBeGreaterThan(0);
    for (const { id } of secrets) {
      const { object } = await ask(`/api/v1/findings/${id}`);
      for (const value of Object.values({ ...object?.data, ...object?.stringData })) expect(value).toBe("<redacted>");
    }
  });

  test("who did not log in, and pages of other hosts, get nothing", async () => {
    const stranger = await browser.newContext();
    const other = await stranger.newPage();
    await other.goto(origin);
    await other.getByText("You are not logged in").first().waitFor();
    expect((await fetch(`${origin}/api/v1/findings`)).status).toBe(401);
    await stranger.close();
  });
});
