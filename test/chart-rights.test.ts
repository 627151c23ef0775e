import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { renderChart, withoutHelm } from "./chart.ts";
import { account, type RightsQuestion, rightsOfVariants } from "./chart-rights.ts";
import { runCli } from "./run-cli.ts";

const directory = mkdtempSync(join(tmpdir(), "castellan-chart-rights-"));
afterAll(() => rmSync(directory, { recursive: true }));

async function may({ verb, group, resource, subresource, name, namespace }: RightsQuestion, file: string): Promise<boolean> {
  const what = `${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : `/${name}`}`;
  const where = namespace === undefined ? ["-A"] : ["-n", namespace];
  const part = subresource === undefined ? [] : ["--subresource", subresource];
  const { code, out } = await runCli(["rbac", "can-i", verb, what, ...part, ...where, "--as", account, "-f", file]);
  expect(["yes", "no"][code]).toBe(out.split("\n")[0]);
  return code === 0;
}

describe.skipIf(withoutHelm !== undefined)("what our account may, by our own engine", () => {
  test.each(rightsOfVariants)("$title", async ({ title, values, allowed, denied, found }) => {
    const file = join(directory, `${title}.yaml`);
    writeFileSync(file, renderChart(...values));
    for (const question of allowed) expect([question, await may(question, file)]).toEqual([question, true]);
    for (const question of denied) expect([question, await may(question, file)]).toEqual([question, false]);
    expect((await runCli(["rbac", "paths", "-f", file])).out).toContain("No path to cluster-admin was found.");
    const { out } = await runCli(["scan", file, "-o", "json", "--fail-on", "never"]);
    const high = JSON.parse(out).findings.filter(({ severity }: { severity: string }) => !["low", "info"].includes(severity));
    const told = high.map(
      ({ check, resource }: { check: { policy: string }; resource: { kind: string; name: string } }) =>
        `${check.policy} ${resource.kind} ${resource.name}`,
    );
    expect(told.sort()).toEqual(["policies.kyverno.io/ValidatingPolicy/image-digest StatefulSet castellan", ...found]);
  });
});
