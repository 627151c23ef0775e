import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { count as counted } from "../../src/report/text.ts";
import { violations } from "./accessibility.ts";
import { CastellanServer } from "./castellan-server.ts";
import { type ConsoleBrowser, canBrowse, openConsole } from "./console-browser.ts";
import { requireTeam } from "./require-team.ts";

const namespaces = Array.from({ length: 40 }, (_, i) => `models-${String(i).padStart(2, "0")}`);
const each = 250;
const total = namespaces.length * each;

/** A platform in which nobody says whose anything is. */
const objects = namespaces.flatMap((namespace, i) => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { team: `team-${i % 8}` } } },
  ...Array.from({ length: each }, (_, number) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `settings-${String(number).padStart(3, "0")}`, namespace },
    data: { model: "llama", batch: "8" },
  })),
]);

let directory = "";
let server: CastellanServer;
let console: ConsoleBrowser;
/** How long steps took, for people to look at. */
const took: string[] = [];

async function timed(what: string, act: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await act();
  took.push(`${what}: ${Math.round(performance.now() - start)} ms`);
}

describe.skipIf(!canBrowse)(`the list of ${total} findings in a real browser`, () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "castellan-many-findings-"));
    await writeFile(join(directory, "objects.yaml"), objects.map((object) => JSON.stringify(object)).join("\n---\n"));
    await writeFile(
      join(directory, "policy.yaml"),
      requireTeam.replace(", namespaces: [default]", "").replace("Enforce", "Audit"),
    );
    const files = ["--files", join(directory, "objects.yaml"), "--policies", join(directory, "policy.yaml")];
    server = new CastellanServer(join(directory, "data"), files);
    await timed("start of the server", () => server.start());
    console = await openConsole(server);
  });

  afterAll(async () => {
    await console?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
    if (process.env["CASTELLAN_PICTURES"] !== undefined) process.stdout.write(`${took.join("\n")}\n`);
  });

  const shown = (count: number) =>
    console.page.getByText(`${counted(count, "finding")}: ${counted(count, "failure")}, 0 warnings`, { exact: true }).waitFor();
  const rows = () => console.page.getByRole("row").getByRole("link").allTextContents();

  test("the first and the last page", async () => {
    const { page, origin } = console;
    await timed("first page", async () => {
      await page.goto(`${origin}/findings?text=require-team`);
      await shown(total);
    });
    expect((await rows()).length).toBe(100);
    expect(await violations(page)).toEqual([]);
    await console.picture("many-findings");
    await timed("last page", async () => {
      await page.getByRole("button", { name: `Page ${total / 100}` }).click();
      await page.getByRole("link", { name: "ConfigMap settings-249" }).waitFor();
    });
    expect(page.url()).toContain(`page=${total / 100}`);
    expect(await rows()).toEqual(Array.from({ length: 100 }, (_, i) => `ConfigMap settings-${150 + i}`));
    await page.getByRole("cell", { name: /settings-150 models-39/ }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: "ConfigMap settings-249" }).waitFor();
  });

  test("words leave the few that are meant", async () => {
    const { page, origin } = console;
    await page.goto(`${origin}/findings?text=require-team`);
    await shown(total);
    await timed("filter by words", async () => {
      await page.getByLabel("Words").fill("require-team settings-007");
      await shown(namespaces.length);
    });
    await timed("a finding", async () => {
      await page.getByRole("link", { name: "ConfigMap settings-007" }).nth(39).click();
      await page.getByRole("dialog").getByText("label team is required").first().waitFor();
    });
  });

  test.each([
    ["namespace", namespaces, each],
    ["team", ["team-0", "team-1", "team-2", "team-3", "team-4", "team-5", "team-6", "team-7"], total / 8],
    ["severity", ["medium"], total],
  ] as const)("groups by %s hold all of them, and lead to theirs", async (by, names, count) => {
    const { page, origin } = console;
    await timed(`groups by ${by}`, async () => {
      await page.goto(`${origin}/findings?text=require-team&group=${by}`);
      await page.getByText(`${counted(total, "finding")} in ${names.length} group`).waitFor();
    });
    expect((await rows()).toSorted()).toEqual(names);
    expect(
      await page
        .getByRole("row")
        .getByRole("cell", { name: String(count), exact: true })
        .count(),
    ).toBe(2 * names.length);
    expect(await violations(page)).toEqual([]);
    await console.picture(`many-findings-by-${by}`);
    await page.getByRole("link", { name: names[0], exact: true }).click();
    await shown(count);
  });

  test("the overview and the policies count all of them", async () => {
    const { page, origin } = console;
    await timed("overview", async () => {
      await page.goto(origin);
      await page.getByText("By team").waitFor();
    });
    await timed("policies", async () => {
      await page.goto(`${origin}/policies`);
      await page.getByText(`${total} failed`).first().waitFor();
    });
    expect(console.problems).toEqual([]);
  });
});
