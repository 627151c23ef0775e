import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../run-cli.ts";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const objects = ["-f", "examples/network/platform.yaml", "-f", "examples/network/vector-db-policy.yaml"];

/** The page of a network in a real browser, under its own content policy, as a shared link opens it. */
describe.skipIf(browser === undefined)("the page of a network in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "castellan-network-"));
  const file = join(folder, "network.html");

  beforeAll(async () => {
    writeFileSync(file, (await runCli(["net", "graph", "-o", "html", ...objects])).out);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function open(hash: string): string {
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`, "--dump-dom"];
    return execFileSync(browser ?? "", [...flags, `${pathToFileURL(file)}#${hash}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  }

  /** What the script drew, without the data that it drew from. */
  const drawn = (hash: string) => /<div id="focus"[\s\S]*?<\/section>/.exec(open(hash))?.[0] ?? "";

  test("a link to a workload shows who may call it, and whom it may call", () => {
    const focus = drawn("focus=ai%2Fvector-db%5BStatefulSet%5D");
    expect(focus).toContain(">ai/vector-db</h3>");
    expect(focus).toMatch(/May call it[\s\S]*<td>ai\/llm-service<\/td><td>all connections<\/td>[\s\S]*It may call/);
    expect(focus).not.toMatch(/May call it[\s\S]*billing[\s\S]*It may call/);
  });

  test("a link to a cell shows the ways between two namespaces", () => {
    expect(drawn("from=observability&to=ai")).toMatch(/<h3[^>]*>observability to ai<\/h3>[\s\S]*prometheus/);
  });

  test("without a choice it asks for one, and every workload can be found", () => {
    const dom = open("");
    expect(dom).toContain("Choose a workload");
    expect(dom.match(/<li><a href="#focus=/g)).toHaveLength(8);
  });
});
