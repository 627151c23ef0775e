import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Frame, Page } from "playwright-core";

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** What fades in has other colours for a moment. */
const untilStill = `(async () => {
  for (let still = 0; still < 5; still++) {
    await new Promise(requestAnimationFrame);
    if (document.getAnimations().some((one) => one instanceof CSSTransition)) still = 0;
  }
})()`;

/** Serious violations of WCAG 2 A and AA on the page, once nothing on it changes its looks; what frames show is asked of them. */
export async function violations(page: Page | Frame): Promise<readonly string[]> {
  await page.evaluate(untilStill);
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const results: AxeResults = await page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })");
  return results.violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`);
}
