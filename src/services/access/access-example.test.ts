import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { action, person } from "../../access/machine/people.testing.ts";
import { accessRules } from "../../access/rules/access-rules.ts";
import { mayFill } from "../../access/rules/may-fill.ts";
import { mostRestrictive } from "../../access/rules/most-restrictive.ts";
import type { OfferContext } from "../../access/rules/types.ts";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { nodeTextFiles } from "../../adapters/files/text-files.ts";
import { runTestFile } from "../test-run.ts";
import { compileAccess, loadAccessDocuments } from "./access-documents.ts";

const folder = join(import.meta.dirname, "../../../examples/ai-platform/access");
const resources = loadKubernetesSchemas().resources();
const host = { now: () => Date.UTC(2026, 10, 23, 12), random: () => 0 };

describe("the shipped example", () => {
  test.each([
    {
      file: "production.yaml",
      about: "production may not be changed outside approved hours, nor in a freeze (T46, T47)",
      cases: 15,
    },
    { file: "lasting-access.yaml", about: "who works under a grant makes nothing that outlives it (T55)", cases: 11 },
  ])("$about", ({ file, cases }) => {
    const outcomes = runTestFile(join(folder, "guardrails/cases", file), {
      files: nodeTextFiles,
      resources,
      host,
      selection: (entry) => entry,
    });
    const rows = outcomes.flatMap((outcome) => outcome.rows);
    expect(rows.filter(({ outcome }) => outcome !== "pass").map(({ test: name, reason }) => `${name}: ${reason}`)).toEqual([]);
    expect(rows).toHaveLength(cases);
  });

  test("is all understood", async () => {
    const { documents, diagnostics } = await loadAccessDocuments([folder]);
    const compiled = compileAccess(documents);
    expect([...diagnostics, ...compiled.diagnostics]).toEqual([]);
    expect(compiled.rules.map(({ name }) => name)).toEqual([
      "production-on-call",
      "shell",
      "team-session",
      "exceptions",
      "break-glass",
    ]);
  });

  const at = Date.UTC(2026, 10, 23, 20);
  const ada = { ...person("ada", ["data-scientists"]), issuer: "development", human: "ada" };
  const scale = {
    apiGroup: "apps",
    resource: "deployments",
    subresource: "scale",
    verb: "patch",
    namespace: "serving-prod",
    name: "api-gateway",
    at,
  };
  async function offer(of: Parameters<typeof action>[0], context: Partial<OfferContext> = {}, who = ada) {
    const { rules, directory, schedules } = compileAccess((await loadAccessDocuments([folder])).documents);
    if (directory === undefined) throw new Error("no directory");
    const known = accessRules(rules, { directory, schedules, onCall: () => [] });
    const asked = { type: "action", action: action({ ...scale, ...of }), digest: "" } as const;
    return mostRestrictive(
      known.offers(who, asked, {
        at,
        namespaceLabels: { stage: "production" },
        rbacRisk: { score: 10, reasons: [] },
        ...context,
      }),
    );
  }

  test.each([
    { of: "in a freeze only break-glass", when: "2026-12-21T10:00:00Z", ordinary: undefined, breakGlass: "approve" },
    { of: "before it people decide (T47)", when: "2026-12-18T10:00:00Z", ordinary: "no-opinion", breakGlass: "approve" },
  ])("$of", async ({ when, ordinary, breakGlass }) => {
    const engineer = { ...person("ada", ["data-scientists", "ml-engineers"]), issuer: "development", human: "ada" };
    const of = { verb: "delete", resource: "deployments", subresource: "" };
    const at = Date.parse(when);
    expect((await offer(of, { at }, engineer))?.verdict).toBe(ordinary);
    expect((await offer(of, { at, breakGlass: true }, engineer))?.verdict).toBe(breakGlass);
  });

  test("a data scientist's scale in production is for whoever is on call, of another team", async () => {
    const found = await offer({});
    expect(found).toMatchObject({
      rule: "production-on-call",
      verdict: "no-opinion",
      holdSeconds: 60,
      role: { name: "production-editor" },
    });
    const [slot] = found?.slots ?? [];
    if (slot === undefined) throw new Error("no slot");
    const login = (name: string, groups: readonly string[] = []) => ({ ...person(name, groups), issuer: "development" });
    const may = [
      login("grace"),
      login("edsger"),
      login("barbara"),
      login("alan", ["platform-leads"]),
      login("ada", ["platform-leads"]),
      login("nobody"),
    ];
    // In that week Edsger is on call; Alan is of Ada's own team.
    expect(may.filter((one) => mayFill(slot.approvers, one)).map(({ human }) => human)).toEqual(["edsger"]);
  });

  test.each([
    { of: "another stage", action: {}, context: { namespaceLabels: { stage: "staging" } }, want: undefined },
    { of: "a namespace that is not known", action: {}, context: { namespaceLabels: undefined }, want: undefined },
    { of: "a data store", action: { resource: "statefulsets", subresource: "", verb: "delete" }, context: {}, want: "require" },
    { of: "what would give the cluster", action: {}, context: { rbacRisk: { score: 95, reasons: [] } }, want: "reject" },
    {
      of: "roles",
      action: { apiGroup: "rbac.authorization.k8s.io", resource: "rolebindings", subresource: "", verb: "create" },
      context: {},
      want: undefined,
    },
    { of: "break-glass, for who may", action: {}, context: { breakGlass: true }, want: undefined },
  ])("$of: $want", async ({ action: of, context, want }) => {
    expect((await offer(of, context))?.verdict).toBe(want);
  });
});
