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

interface Group {
  readonly name: string;
  readonly total: number;
  readonly counts: { readonly [severity: string]: number };
  readonly warnings: number;
  readonly errors: number;
}

test("the overview says whose the failures are, as the groups do", async () => {
  const { byTeam } = (await ask("/api/v1/overview")) as { byTeam: readonly Group[] };
  const { items } = (await ask("/api/v1/findings/groups?by=team&status=fail")) as { items: readonly Group[] };
  expect(byTeam.map(({ name }) => name)).toContain("nlp");
  expect(byTeam).toEqual(items.map(({ name, counts }) => ({ name, counts })));
});

test.each(["policy", "namespace", "team", "severity"])("groups by %s hold what the list holds with that filter", async (by) => {
  const { items: groups } = (await ask(`/api/v1/findings/groups?by=${by}`)) as { items: readonly Group[] };
  const { total: all } = (await ask("/api/v1/findings?limit=1")) as { total: number };
  expect(groups.reduce((sum, { total }) => sum + total, 0)).toBe(all);
  expect(groups.length).toBeGreaterThan(2);
  for (const { name, total, counts, warnings, errors } of groups) {
    const listed = (await ask(`/api/v1/findings?limit=1&${by}=${encodeURIComponent(name)}`)) as Row;
    const failures = Object.values(counts).reduce((sum, n) => sum + n, 0);
    expect({ ...listed, items: name }).toEqual({ total, warnings, errors, items: name });
    expect(failures).toBe(total - warnings - errors);
  }
});

test("groups follow the filters, and teams are those that label their namespace", async () => {
  const { items } = (await ask("/api/v1/findings/groups?by=team")) as { items: readonly Group[] };
  expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(["nlp", "computer-vision", "recommendations", ""]));
  const narrowed = (await ask("/api/v1/findings/groups?by=namespace&team=nlp&status=fail")) as { items: readonly Group[] };
  expect(narrowed.items.map(({ warnings, errors }) => warnings + errors)).toEqual(narrowed.items.map(() => 0));
  expect((await ask("/api/v1/findings/groups?by=colour")) as Row).toMatchObject({ code: "BAD_REQUEST" });
});

test("pages follow each other without a gap, to the last one", async () => {
  const { total, items: whole } = (await ask("/api/v1/findings?limit=1000")) as { total: number; items: readonly Row[] };
  const pages: Row[] = [];
  for (let offset = 0; offset < total; offset += 40)
    pages.push(...((await ask(`/api/v1/findings?limit=40&offset=${offset}`)) as { items: readonly Row[] }).items);
  expect(pages).toEqual(whole);
});

interface Detail {
  readonly id: string;
  readonly kind: string;
  readonly object?: object;
  readonly fix?: {
    readonly patch?: readonly object[];
    readonly object?: object;
    readonly after?: object;
    readonly isNew?: boolean;
  };
}

test("every fix that can be made is told as the object that it leaves", async () => {
  const { items } = (await ask("/api/v1/findings?limit=1000")) as { items: readonly Detail[] };
  const details = await Promise.all(items.map(async ({ id }) => (await ask(`/api/v1/findings/${id}`)) as Detail));
  const fixed = details.filter(({ fix }) => fix?.patch !== undefined || fix?.object !== undefined);
  expect(fixed.filter(({ fix }) => fix?.after === undefined)).toEqual([]);
  for (const { fix, object } of fixed) expect(fix?.after).not.toEqual(object);
  expect(fixed.filter(({ fix }) => fix?.isNew === true).length).toBeGreaterThan(0);
  expect(fixed.filter(({ fix }) => fix?.isNew === false).length).toBeGreaterThan(10);
  expect(details.filter(({ fix }) => fix?.after !== undefined).length).toBe(fixed.length);
});
