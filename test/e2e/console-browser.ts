import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type { CastellanServer } from "./castellan-server.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const isBuilt = existsSync(join(import.meta.dirname, "../../dist/web/index.html"));
if (process.env["CI"] === "true" && (executablePath === undefined || !isBuilt))
  throw new Error("the console needs Chromium and its build");

/** Whether there are a browser and the console's build. */
export const canBrowse = executablePath !== undefined && isBuilt;

/** Where pictures of the pages go, for people to look at; undefined: nowhere. */
const pictures = process.env["CASTELLAN_PICTURES"];

/** A browser with the console of a started server open in it, logged in as its operator. */
export interface ConsoleBrowser {
  readonly page: Page;
  readonly origin: string;
  /** What scripts of the pages threw. */
  readonly problems: readonly string[];
  /** Saves what is seen as a picture, where pictures are wanted. */
  readonly picture: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openConsole(server: CastellanServer): Promise<ConsoleBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(/console: +(http:\S+)/.exec(server.output)?.[1] ?? "");
  return {
    page,
    origin: server.origin,
    problems,
    picture: async (name) => {
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    },
    close: () => browser.close(),
  };
}
