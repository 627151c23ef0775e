import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AccessRequest } from "../../src/access/request.ts";
import type { NewRequest } from "../../src/services/access/desk.ts";
import { type AccessConsole, person, startAccessConsole } from "./access-console-server.ts";
import { violations } from "./accessibility.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const isBuilt = existsSync(join(import.meta.dirname, "../../dist/web/index.html"));
if (process.env["CI"] === "true" && (executablePath === undefined || !isBuilt))
  throw new Error("the console needs Chromium and its build");
/** Where pictures of the pages go, for people to look at; undefined: nowhere. */
const pictures = process.env["CASTELLAN_PICTURES"];

let directory = "";
let server: AccessConsole;
let browser: Browser;
const pages = new Map<string, Page>();
const problems: string[] = [];

/** The browser of one person, logged in. */
async function browserOf(name: string): Promise<Page> {
  const known = pages.get(name);
  if (known !== undefined) return known;
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(12_000);
  page.on("pageerror", (error) => problems.push(`${name}: ${error.message}`));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) problems.push(`${name}: ${message.text()}`);
  });
  await page.goto(`${server.origin}/login/as/${name}`);
  pages.set(name, page);
  return page;
}

async function opened(name: string, path: string): Promise<Page> {
  const page = await browserOf(name);
  await page.goto(`${server.origin}${path}`);
  return page;
}

const soon = { timeout: 10_000 };

const focused = (page: Page): Promise<string> => page.evaluate("document.activeElement?.textContent");

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const deployment = (replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "gateway", namespace: "prod-llm", labels: { app: "gateway" } },
  spec: {
    replicas,
    // Above what a browser's numbers can tell apart.
    quota: 9_007_199_254_740_990n + BigInt(replicas),
    selector: { matchLabels: { app: "gateway" } },
    template: {
      metadata: { labels: { app: "gateway" } },
      spec: { containers: [{ name: "gateway", image: "registry.example/gateway:1.4.2", ports: [{ containerPort: 8080 }] }] },
    },
  },
});

/** What the gateway would ask for when Dana scales. */
function scaling(replicas: number, reason: string): NewRequest {
  const target = "/apis/apps/v1/namespaces/prod-llm/deployments/gateway/scale?fieldManager=kubectl-scale";
  const http = { method: "PATCH", target, contentType: "application/merge-patch+json", contentEncoding: "", bodyDigest: "00" };
  const action = {
    cluster: "production",
    verb: "patch",
    isResourceRequest: true,
    path: target.split("?")[0] ?? "",
    apiGroup: "apps",
    apiVersion: "v1",
    resource: "deployments",
    subresource: "scale",
    namespace: "prod-llm",
    name: "gateway",
    dryRun: false,
    http: { ...http, target: `${target}&replicas=${replicas}` },
    at: Date.now(),
  };
  const preview = { before: deployment(2), after: deployment(replicas) };
  return { requester: person("dana"), ask: { type: "action", action, digest: "", preview }, reason };
}

const session = (namespace: string, reason: string, breakGlass = false): NewRequest => ({
  requester: person("dana"),
  ask: { type: "session", namespace, milliseconds: 3_600_000, mode: "gateway" },
  reason,
  breakGlass,
});

async function asked(wanted: NewRequest): Promise<AccessRequest> {
  const outcome = await server.desk.open(wanted);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.value;
}

const recordedAbout = {
  kind: "exec",
  cluster: "production",
  namespace: "prod-llm",
  pod: "gateway-7d9c",
  container: "gateway",
  command: ["sh", "-c", "nvidia-smi"],
  tty: true,
  protocol: "websocket v5.channel.k8s.io",
  person: person("dana"),
  auditId: "a1",
} as const;

async function recorded(): Promise<string> {
  const begun = await server.recordings.begin(recordedAbout);
  if (!begun.ok) throw new Error(begun.message);
  const live = begun.value;
  await live.add([
    { kind: "resize", width: 100, height: 24 },
    { kind: "stdout", bytes: Buffer.from("$ nvidia-smi\r\nNVIDIA H100, 80 GB, 34 C\r\n") },
  ]);
  await live.end("closed by the client");
  const [found] = await server.recordings.list({});
  return found?.id ?? "";
}

describe.skipIf(executablePath === undefined || !isBuilt)("access in a real browser", () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-access-console-"));
    server = await startAccessConsole(directory);
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(directory, { recursive: true, force: true });
  });

  test("an on-call engineer sees the exact action and approves it by keyboard; the waiting command gets its answer", async () => {
    const before = await asked(scaling(3, "the weekly load test"));
    await server.desk.decide(before.id, person("otto"), "approve", "as last week", "cli");
    await server.desk.revoke(before.id, person("otto"), "the test is over");
    const request = await asked(scaling(13, "queue is growing, incident 4711"));
    const held = server.desk.settled(request.id, Date.now() + 60_000);

    const page = await opened("olga", "/access/approve");
    await page.getByRole("link", { name: /To approve.*1/ }).waitFor();
    await page.getByRole("heading", { name: "dana asks for: patch deployments.apps/gateway (scale) in prod-llm" }).waitFor();
    await page.getByText("queue is growing, incident 4711").waitFor();
    await page.getByText("group:platform-oncall: one person").waitFor();
    await page.getByText("-   replicas: 2").waitFor();
    await page.getByText("+   replicas: 13").waitFor();
    await page.getByText("-   quota: 9007199254740992").waitFor();
    await page.getByText("+   quota: 9007199254741003").waitFor();
    await page.getByText(/^Risk \d+ of 100/).waitFor();
    await page.getByText("granted by otto").waitFor();
    await page.getByText("as last week").waitFor();
    await page.getByText(request.ask.type === "action" ? request.ask.action.http.target : "").waitFor();
    await picture(page, "approve");

    await page.getByLabel("Comment").focus();
    await page.keyboard.type("go ahead");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("Your approval is recorded").waitFor();
    expect((await held)?.phase).toBe("granted");
    const after = await server.desk.get(request.id);
    expect(after?.approvals).toMatchObject([
      { by: { user: "olga" }, comment: "go ahead", channel: "console", verdict: "approve" },
    ]);
    expect(await focused(page)).toContain("Your approval is recorded");
    await page.getByText("Nothing else waits for you").waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, "approved");
  });

  test("what is of high risk takes two steps, the second begins at the harmless button", async () => {
    const request = await asked(session("nlp", "migration of the vector database"));
    const page = await opened("olga", `/access/requests/${request.id}`);
    await page.getByText("ClusterRole admin in nlp").waitFor();
    await page.getByRole("button", { name: "Approve …" }).click();
    await page.getByRole("dialog", { name: /high risk/ }).waitFor();
    await expect.poll(() => focused(page), soon).toBe("Not yet");
    await picture(page, "two-steps");
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect((await server.desk.get(request.id))?.approvals).toEqual([]);
    await page.getByRole("button", { name: "Approve …" }).click();
    await page.getByRole("button", { name: "Yes, approve it" }).click();
    await page.getByText("More people have to agree before it is granted.").waitFor();
    await page.getByText("agreed: olga").waitFor();

    const otto = await opened("otto", `/access/approve/${request.id}`);
    await otto.getByRole("button", { name: "Deny" }).click();
    await otto.getByText("The request is denied.").waitFor();
    expect((await server.desk.get(request.id))?.phase).toBe("denied");
  });

  test("a decision that the server refuses is never shown as made", async () => {
    const request = await asked(scaling(4, "test"));
    const page = await opened("olga", `/access/requests/${request.id}`);
    const approve = page.getByRole("button", { name: "Approve", exact: true });
    await approve.waitFor();
    // The page does not hear of it in time.
    await page.route("**/api/v1/access/requests/**", async (route) => {
      if (route.request().method() === "GET") await route.abort();
      else await route.continue();
    });
    await server.desk.decide(request.id, person("otto"), "deny", "not now", "cli");
    await approve.click();
    await page.getByText("It was not recorded").waitFor();
    expect(await page.getByText("Your approval is recorded").count()).toBe(0);
    await page.unroute("**/api/v1/access/requests/**");
  });

  test("the requester follows their request without reloading, and cannot decide on it", async () => {
    const request = await asked(scaling(6, "load test at noon"));
    // As the gateway names it to whoever was refused.
    const page = await opened("dana", `/access/${request.id}`);
    await page.getByText("Waits for a decision").waitFor();
    expect(await page.getByRole("button", { name: /Approve/ }).count()).toBe(0);
    await picture(page, "waiting");
    await server.desk.decide(request.id, person("otto"), "approve", "have fun", "cli");
    await page.getByText("have fun").waitFor();
    await page.goto(`${server.origin}/access/requests`);
    await page
      .getByRole("row", { name: /load test at noon/ })
      .getByText("granted")
      .waitFor();
    await page
      .getByRole("row", { name: /load test at noon/ })
      .getByText(/^1[45]m/)
      .waitFor();
    await picture(page, "my-requests");

    const other = await asked(scaling(7, "no longer needed"));
    await page.goto(`${server.origin}/access/requests/${other.id}`);
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the request" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
  });

  test("nothing acts on GET, nor without the session's token", async () => {
    const request = await asked(scaling(5, "a link in a chat"));
    const page = await browserOf("olga");
    const path = `/api/v1/access/requests/${request.id}/approve`;
    const statuses: readonly number[] = await page.evaluate(async (address) => {
      const headers = { "content-type": "application/json" };
      const without = await fetch(address, { method: "POST", headers, body: "{}" });
      const wrong = await fetch(address, { method: "POST", headers: { ...headers, "csrf-token": "made-up" }, body: "{}" });
      return [(await fetch(address)).status, without.status, wrong.status];
    }, path);
    expect(statuses).toEqual([404, 403, 403]);
    expect((await server.desk.get(request.id))?.phase).toBe("pending");
    await server.desk.cancel(request.id, person("dana"));
  });

  test("a denial at admission leads to a filled request for an exception", async () => {
    const link =
      "exception=kyverno.io/ClusterPolicy/require-limits&object=Deployment/nlp/embedder&apiVersion=apps/v1&rule=memory";
    const page = await opened("dana", `/access/new?${link}`);
    expect(await page.getByRole("textbox", { name: "Policy" }).inputValue()).toBe("kyverno.io/ClusterPolicy/require-limits");
    expect(await page.getByLabel("Namespace").inputValue()).toBe("nlp");
    expect(await page.getByRole("button", { name: "Ask for it" }).isDisabled()).toBe(true);
    await page.getByText("The exception, for 7d; must be approved by group:platform-oncall.").waitFor();
    await page.getByLabel("Why").fill("limits come with release 5");
    await picture(page, "exception");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Ask for it" }).click();
    await page.waitForURL(/\/access\/requests\/\w+/);
    const [newest] = await server.desk.list({ requester: person("dana"), limit: 1 });
    expect(newest).toMatchObject({
      reason: "limits come with release 5",
      ask: {
        type: "exception",
        policy: "kyverno.io/ClusterPolicy/require-limits",
        rules: ["memory"],
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "nlp", name: "embedder" },
      },
    });
  });

  test("what no rule offers cannot be asked for, and a refusal is told with the reason", async () => {
    const page = await opened("dana", "/access/new");
    await page.getByLabel("Namespace").fill("kube-system");
    await page.getByText("No rule offers this to you").waitFor();
    await page.getByLabel("Why").fill("curiosity");
    expect(await page.getByRole("button", { name: "Ask for it" }).isDisabled()).toBe(true);
    // Between the offer and the question a rule may change: what is refused then is said, too.
    await page.getByLabel("Namespace").fill("nlp");
    await page.getByText("By the rule").waitFor();
    await page.route("**/api/v1/access/requests", (route) =>
      route.fulfill({
        status: 403,
        contentType: "application/json",
        body: JSON.stringify({ code: "ACCESS_NO_RULE", message: "no rule offers this" }),
      }),
    );
    await page.getByRole("button", { name: "Ask for it" }).click();
    await page.getByText("It was not asked for").waitFor();
    await page.unroute("**/api/v1/access/requests");
    await picture(page, "refused");
  });

  test("the glass is broken with a reason, told at once, and looked at afterwards by somebody else", async () => {
    const page = await opened("dana", "/access/new");
    await page.getByLabel("Namespace").fill("prod-llm");
    await page.getByRole("switch", { name: /Break-glass/ }).check();
    expect(await page.getByRole("button", { name: "Break the glass" }).isDisabled()).toBe(true);
    await page.getByText("ClusterRole admin, for 1h; the rule itself approves at once.").waitFor();
    await page.getByLabel("Why").fill("the gateway is down, nobody answers");
    await picture(page, "break-the-glass");
    await page.getByRole("button", { name: "Break the glass" }).click();
    await page.getByText("granted", { exact: true }).waitFor();
    await page.goto(`${server.origin}/access/break-glass`);
    await page.getByRole("row", { name: /nobody answers/ }).waitFor();
    expect(await page.getByRole("button", { name: "Record a review" }).count()).toBe(0);

    // Neither the administrator nor anybody on call is named by the rule.
    const petra = await opened("petra", "/access/break-glass");
    await petra
      .getByRole("row", { name: /nobody answers/ })
      .getByText("by group:audit")
      .waitFor();
    expect(await petra.getByRole("button", { name: "Record a review" }).count()).toBe(0);

    const audra = await opened("audra", "/access/break-glass");
    const used = audra.getByRole("row", { name: /nobody answers/ });
    await used.getByRole("button", { name: "Revoke" }).waitFor();
    await used.getByRole("button", { name: "Record a review" }).click();
    await audra.getByLabel("What you found").fill("restarted the gateway, nothing else");
    await picture(audra, "review-break-glass");
    await audra.getByRole("dialog").getByRole("button", { name: "Record a review" }).click();
    await audra.getByText("audra: restarted the gateway, nothing else").waitFor();
    await picture(audra, "break-glass");
  });

  test("a message that reached nobody is there, and is sent again", async () => {
    const page = await opened("petra", "/access/notifications");
    const row = page.getByRole("row", { name: /pager/ });
    await expect
      .poll(
        async () => {
          await page.reload();
          await page.getByRole("heading", { name: "Notifications that were not delivered" }).waitFor();
          return row.count();
        },
        { timeout: 20_000, interval: 1000 },
      )
      .toBe(1);
    await picture(page, "undelivered");
    await row.getByRole("button", { name: "Send again" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send again" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("live access is revoked, and a person locked out", async () => {
    const request = await asked(scaling(8, "to be revoked"));
    await server.desk.decide(request.id, person("otto"), "approve", "", "cli");
    const page = await opened("petra", "/access/grants");
    const rows = page.getByRole("row", { name: /patch deployments/ });
    await rows.first().waitFor();
    await page.getByRole("timer").first().waitFor();
    await picture(page, "grants");
    const live = await rows.count();
    await rows.first().getByRole("button", { name: "Revoke" }).click();
    await page.getByLabel("Why").fill("wrong deployment");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await expect.poll(() => rows.count(), soon).toBe(live - 1);

    await page.getByRole("button", { name: "Lock the person" }).first().click();
    await page.getByLabel("Why").fill("lost laptop");
    await page.getByRole("dialog").getByRole("button", { name: "Lock the person" }).click();
    await page.getByText("No access is granted at the moment.").waitFor();
    expect(server.desk.isLocked("development#dana")).toBe(true);
    await page.reload();
    await page.getByRole("cell", { name: "lost laptop" }).waitFor();
    await picture(page, "locks");
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
    await expect.poll(() => server.desk.isLocked("development#dana"), soon).toBe(false);
  });

  test("a recording is found, proven, played and downloaded", async () => {
    const id = await recorded();
    const page = await opened("audra", "/access/recordings?text=nvidia%20dana");
    await page.getByRole("link", { name: "prod-llm/gateway-7d9c/gateway" }).click();
    await page.getByText("as the ledger says").waitFor();
    await page.locator(".ap-player").waitFor();
    await page.locator(".ap-overlay-start").click();
    await page.getByText("NVIDIA H100, 80 GB, 34 C").waitFor();
    await picture(page, "player");
    expect(await violations(page)).toEqual([]);
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    const lines = (await readFile(await (await downloading).path(), "utf8")).trim().split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ version: 2, width: 100, height: 24 });
    await page.goto(`${server.origin}/access/recordings`);
    await page.getByLabel("Words").fill("nobody");
    await page.getByText("No recording matches.").waitFor();

    const otto = await opened("otto", `/access/recordings/${id}`);
    await otto.getByText("needs the role auditor").first().waitFor();
    expect(problems).toEqual([]);
  });

  test("bindings are kept or given up by their owners, with their last use", async () => {
    const page = await opened("petra", "/reviews");
    await page.getByLabel("New review").fill("2026-q4");
    await page.getByRole("button", { name: "Begin" }).click();
    await page.getByText("bindings are to be decided").waitFor();
    await page.reload();
    await page.getByRole("link", { name: "2026-q4" }).click();
    await page.getByText(/still to be decided/).waitFor();
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.getByLabel("Why").fill("the project ended");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.reload();
    await page.getByText("petra: the project ended").waitFor();
    await picture(page, "review");

    const viewer = await opened("olga", "/reviews/production/2026-q4");
    await viewer.getByText(/still to be decided/).waitFor();
    expect(await viewer.getByRole("button", { name: "Revoke" }).count()).toBe(0);
    const binding = "RoleBinding/vision/vision-developers";
    const status: number = await viewer.evaluate(async (about) => {
      const session = await (await fetch("/api/v1/session")).text();
      const token = /"csrfToken":"([^"]+)"/.exec(session)?.[1] ?? "";
      const headers = { "content-type": "application/json", "csrf-token": token };
      const body = JSON.stringify({ binding: about, what: "keep", reason: "mine" });
      return (await fetch("/api/v1/reviews/production/2026-q4/decisions", { method: "POST", headers, body })).status;
    }, binding);
    expect(status).toBe(403);

    // Who owns a binding decides on it, and sees no other.
    const owner = await opened("dana", "/reviews/production/2026-q4");
    await owner.getByText("1 of 1 bindings are still to be decided.").waitFor();
    await owner.getByRole("button", { name: "Keep" }).click();
    await owner.getByLabel("Why").fill("we work there");
    await owner.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
    await owner.getByText("dana: we work there").waitFor();
  });

  test("a chat user is linked by the button alone", async () => {
    const chatUser = { chat: "slack", team: "T1", user: "U1" } as const;
    const code = await server.chatLinks.begin(chatUser, "olga.s");
    const page = await opened("olga", `/access/link?code=${code}`);
    await page.getByText("olga.s").waitFor();
    expect((await server.chatLinks.personOf(chatUser)).ok).toBe(false);
    await page.getByRole("button", { name: "That is me: link it" }).click();
    await page.getByText("It is linked").waitFor();
    expect((await server.chatLinks.personOf(chatUser)).ok).toBe(true);
  });

  test.each(["light", "dark"] as const)("every page is accessible in %s", async (colorScheme) => {
    const pending = await asked(scaling(9, `seen in ${colorScheme}`));
    await asked(session("prod-llm", `seen in ${colorScheme}`, true));
    const page = await browserOf("petra");
    await page.emulateMedia({ colorScheme });
    await page.goto(server.origin);
    const waiting = page.getByRole("region", { name: "What needs a person now" });
    for (const task of [
      /\d+ requests? to approve/,
      /Access review 2026-q4 of production: \d+ bindings? undecided/,
      /reached nobody/,
    ])
      await waiting.getByRole("link", { name: task }).waitFor();
    for (const [path, text, name] of [
      ["/", "reached nobody", "overview"],
      ["/access/approve", "dana asks for", "approve"],
      [`/access/requests/${pending.id}`, "What changes", "request"],
      ["/access/requests", "You have asked for nothing yet", "requests"],
      ["/access/new", "Access for a while", "new"],
      ["/access/grants", "emergency in prod-llm", "grants"],
      ["/access/recordings", "nvidia-smi", "recordings"],
      ["/access/break-glass", "nothing else", "break-glass"],
      ["/access/notifications", "pager", "undelivered"],
      ["/reviews", "2026-q4", "reviews"],
      ["/reviews/production/2026-q4", "still to be decided", "review"],
      [
        `/access/link?code=${await server.chatLinks.begin({ chat: "slack", team: "T1", user: "U2" }, "petra.s")}`,
        "petra.s",
        "link",
      ],
    ] as const) {
      await page.goto(`${server.origin}${path}`);
      await page.getByText(text).first().waitFor();
      expect(await violations(page), path).toEqual([]);
      await picture(page, `${colorScheme}-${name}`);
    }
    // What opens over a page, none of which is done here.
    for (const [path, button] of [
      ["/access/grants", "Revoke"],
      ["/access/grants", "Lock the person"],
      ["/access/grants", "Lock a person"],
      ["/access/notifications", "Send again"],
      ["/reviews/production/2026-q4", "Revoke"],
    ] as const) {
      await page.goto(`${server.origin}${path}`);
      await page.getByRole("button", { name: button }).first().click();
      await page.getByRole("dialog").waitFor();
      expect(await violations(page), `${path}: ${button}`).toEqual([]);
      await picture(page, `${colorScheme}-${button.toLowerCase().replaceAll(" ", "-")}`);
      await page.keyboard.press("Escape");
    }
    await server.desk.cancel(pending.id, person("dana"));
    expect(problems).toEqual([]);
  });
});
