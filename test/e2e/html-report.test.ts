import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { html } from "../../src/report/html.ts";
import { sampleReport } from "../sample-report.ts";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

/** The filters of the report in a real browser, set through the address as a shared link would. */
describe.skipIf(browser === undefined)("the HTML report in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "castellan-html-"));
  const file = join(folder, "report.html");

  beforeAll(() => writeFileSync(file, html(sampleReport, { color: false, width: 80, explain: false })));
  afterAll(() => rmSync(folder, { recursive: true }));

  function open(hash: string): string {
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`, "--dump-dom"];
    return execFileSync(browser ?? "", [...flags, `${pathToFileURL(file)}#${hash}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  }

  /** Levels of the findings that are shown. */
  const shown = (dom: string) =>
    [...dom.matchAll(/<li data-level="(\w+)"([^>]*)>/g)].filter((m) => !m[2]?.includes("hidden")).map((m) => m[1]);

  test.each([
    ["", ["critical", "medium", "high", "warn", "error", "info", "skip"], "all 7 shown"],
    ["level=critical,medium", ["critical", "medium"], "2 of 7 shown"],
    ["namespace=vision", ["high", "warn", "error", "skip"], "4 of 7 shown"],
    ["policy=pod-security%2Frestricted", ["medium", "skip"], "2 of 7 shown"],
    ["text=RAY+nonroot", ["medium"], "1 of 7 shown"],
    ["text=nothing-has-this", [], "0 of 7 shown"],
  ])("#%s", (hash, levels, status) => {
    const dom = open(hash);
    expect(shown(dom)).toEqual(levels);
    expect(dom).toContain(status);
  });

  test("text from scanned objects stays text", () => {
    const dom = open("");
    expect(dom).not.toContain("<script>alert");
    expect(dom).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });
});
