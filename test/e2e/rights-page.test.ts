import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DescribedPath, PathReport } from "../../src/analysis/rbac/paths/paths.ts";
import { runCli } from "../run-cli.ts";
import { violations } from "./accessibility.ts";
import { CastellanServer } from "./castellan-server.ts";
import { type ConsoleBrowser, canBrowse, openConsole } from "./console-browser.ts";

/** As many teams as a company has, in each of which whoever runs jobs becomes the team's deployer. */
const teams = Array.from({ length: 60 }, (_, i) => `team-${i}`);
const rbac = "rbac.authorization.k8s.io";
const crowd = teams.flatMap((namespace) => [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "deployer", namespace } },
  {
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: `${namespace}-deployer` },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: "deployer", namespace }],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata: { name: "jobs", namespace },
    rules: [{ apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"] }],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata: { name: "jobs", namespace },
    roleRef: { apiGroup: rbac, kind: "Role", name: "jobs" },
    subjects: ["a", "b", "c", "d"].map((one) => ({ apiGroup: rbac, kind: "User", name: `${one}@${namespace}` })),
  },
]);

let directory = "";
let server: CastellanServer;
let console: ConsoleBrowser;

/** What the engine says about the same files. */
async function told(to: string): Promise<PathReport> {
  return JSON.parse((await runCli(["rbac", "paths", "--to", to, "-o", "json", join(directory, "rbac.yaml")])).out);
}

/** A path as it is written in words on the page. */
const inWords = ({ from, hops }: DescribedPath): string =>
  from +
  hops
    .map(
      ({ says, to, grants }) =>
        `${says} → ${to}${grants.map(({ binding, role, rule }) => `${binding} → ${role}: ${rule}`).join("")}`,
    )
    .join("");

/** The boxes of a path from a subject to what is reached, as they are drawn from left to right. */
async function boxesFrom(graph: Locator, subject: string): Promise<readonly string[]> {
  const boxes: string[] = [];
  for (let at = graph.getByRole("link", { name: subject, exact: true }).locator(".."); ; ) {
    boxes.push((await at.textContent()) ?? "");
    const next = at.locator("xpath=ancestor::ul[1]/following-sibling::*[contains(@class, 'ways-box')]");
    if ((await next.count()) === 0) return boxes;
    at = next;
  }
}

describe.skipIf(!canBrowse)("the page of rights in a real browser", () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-rights-"));
    const few = await readFile(join(import.meta.dirname, "rights-page.yaml"), "utf8");
    const objects = [few, ...crowd.map((object) => JSON.stringify(object))];
    await writeFile(join(directory, "rbac.yaml"), objects.join("\n---\n"));
    server = new CastellanServer(join(directory, "data"), ["--files", join(directory, "rbac.yaml")]);
    await server.start();
    console = await openConsole(server);
  });

  afterAll(async () => {
    await console?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test.for([
    ["cluster-admin", ""],
    ["secrets", "&to=secrets"],
    ["node", "&to=node"],
  ] as const)("every way to %s that the engine knows is on some page, in its order", async ([target, query]) => {
    const { page, origin } = console;
    const { paths } = await told(target);
    expect(paths.length).toBeGreaterThan(200);
    const last = Math.ceil(paths.length / 20);
    for (const number of [1, 2, last]) {
      await page.goto(`${origin}/rights?show=paths${query}&page=${number}`);
      await page.getByText(`${paths.length} identities get there`).waitFor();
      const written = await page.getByRole("article").allTextContents();
      expect(written).toEqual(paths.slice((number - 1) * 20, number * 20).map(inWords));
    }
  });

  test("a way is drawn from who takes it, by what they do, to what they reach", async () => {
    const { page, origin } = console;
    const { paths } = await told("cluster-admin");
    await page.goto(`${origin}/rights?show=paths`);
    const graph = page.getByRole("region", { name: "Ways, drawn" });
    for (const { from, hops } of paths.slice(0, 20)) {
      expect(await boxesFrom(graph, from)).toEqual([from, ...hops.flatMap(({ says, to }) => [says, to])]);
    }
  });

  test("a subject's own ways are an address, found by words or by the drawing", async () => {
    const { page, origin } = console;
    await page.goto(`${origin}/rights?show=paths`);
    await page.getByLabel("Who", { exact: true }).fill("group ci");
    await page.getByText("1 identity gets there: 1 in 3 steps.").waitFor();
    const graph = page.getByRole("region", { name: "Ways, drawn" });
    expect(await boxesFrom(graph, "Group ci")).toEqual([
      "Group ci",
      "issues tokens of service accounts: builder",
      "ServiceAccount ai/builder",
      "creates pods in ai, then runs as service account operator",
      "ServiceAccount ai/operator",
      "may do everything",
      "cluster-admin",
    ]);
    await page.reload();
    await page.getByText("1 identity gets there: 1 in 3 steps.").waitFor();
    await console.picture("rights-one-way");

    await page.goto(`${origin}/rights?show=paths`);
    // By keyboard alone: the drawing scrolls, and who is in it leads on.
    await graph.getByRole("link", { name: "Group support" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/from=Group\+support/);
    await page.getByText("1 identity gets there: 1 in 1 step.").waitFor();
    await page.getByLabel("Who", { exact: true }).fill("nobody-at-all");
    await page.getByText("None of these gets there").waitFor();
    await page.goBack();
  });

  test("another target begins on its first page, and all is reached by keyboard", async () => {
    const { page, origin } = console;
    await page.goto(`${origin}/rights?show=paths&page=2`);
    const target = page.getByRole("radiogroup", { name: "What is reached" });
    await target.getByRole("radio", { name: /^cluster-admin \(\d+\)$/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForURL((url) => url.searchParams.get("to") === "secrets" && !url.searchParams.has("page"));
    await page.getByRole("tab", { name: "Who could get further" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByText("Ask who can do something.").waitFor();
  });

  test.for(["light", "dark"] as const)("it is accessible in %s", async (colorScheme) => {
    const { page, origin } = console;
    await page.emulateMedia({ colorScheme });
    for (const query of ["", "&page=3", "&to=node", "&from=group+ci", "&from=nobody-at-all"]) {
      await page.goto(`${origin}/rights?show=paths${query}`);
      await page.getByText(/gets? there/).waitFor();
      expect(await violations(page), query).toEqual([]);
      await console.picture(`rights-${colorScheme}${query.replaceAll(/\W+/g, "-")}`);
    }
    expect(console.problems).toEqual([]);
  });
});
