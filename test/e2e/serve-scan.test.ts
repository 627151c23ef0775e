import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../run-cli.ts";
import { CastellanServer } from "./castellan-server.ts";

const sample = join(import.meta.dirname, "../../examples/ai-platform/as-written");

interface Row {
  readonly [name: string]: unknown;
}

let directory = "";
let server: CastellanServer;
let cookie = "";

const ask = async (path: string) => (await request(`${server.origin}${path}`, { headers: { cookie } })).body.json();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-serve-scan-"));
  server = new CastellanServer(directory, ["--files", sample]);
  await server.start();
  const login = /console:? .*?(http:\/\/\S+)/.exec(server.output)?.[1] ?? "";
  cookie = String((await request(login)).headers["set-cookie"]).split(";")[0] ?? "";
});

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const line = ({ status, severity, policy, rule, kind, namespace, name, message }: Row) =>
  [status, severity, policy, rule, kind, namespace, name, message].join(" | ");

test("serve and scan say the same of the sample, finding by finding", async () => {
  const { out } = await runCli(["scan", sample, "-o", "json", "--fail-on", "never"]);
  const scanned: readonly Row[] = JSON.parse(out).findings.map((finding: { check: Row; resource: Row }) => ({
    ...finding,
    ...finding.resource,
    policy: finding.check["policy"],
    rule: finding.check["rule"],
  }));
  const { total, items } = (await ask("/api/v1/findings?limit=1000")) as { total: number; items: readonly Row[] };
  expect(total).toBe(items.length);
  expect(items.map(line).sort()).toEqual(scanned.map(line).sort());
  expect(scanned.length).toBeGreaterThan(80);
});

test("the overview counts what the findings page shows", async () => {
  const overview = (await ask("/api/v1/overview")) as {
    total: { [severity: string]: number };
    warnings: number;
    errors: number;
  };
  const count = async (parameters: string) => {
    const { total } = (await ask(`/api/v1/findings?limit=1&${parameters}`)) as { total: number };
    return total;
  };
  for (const [severity, failures] of Object.entries(overview.total))
    expect([severity, await count(`severity=${severity}&status=fail`)]).toEqual([severity, failures]);
  expect(await count("status=warn")).toBe(overview.warnings);
  expect(await count("status=error")).toBe(overview.errors);
  const failures = Object.values(overview.total).reduce((sum, n) => sum + n, 0);
  expect(await count("")).toBe(failures + overview.warnings + overview.errors);
  expect(overview.warnings).toBeGreaterThan(0);
});
