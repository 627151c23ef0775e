import { expect, test } from "vitest";
import { UnusualUseFinder } from "./unusual.ts";
import { type ApiUse, programOf } from "./use.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5, 9);
const options = { learn: 30 * day, bulkSecrets: 10 };

const use = (at: number, more: Partial<ApiUse> = {}): ApiUse => ({
  seq: 1,
  at,
  cluster: "prod",
  actor: "ada@example.com",
  verb: "get",
  group: "",
  resource: "pods",
  namespace: "nlp",
  name: "p",
  outcome: "200",
  userAgent: "kubectl/v1.36.1 (linux/amd64) kubernetes/1a2b",
  auditId: "",
  request: "",
  ...more,
});

/** Forty days of reading pods between nine and twelve. */
function working(days = 40): ApiUse[] {
  return Array.from({ length: days * 4 }, (_, i) => use(start + Math.floor(i / 4) * day + (i % 4) * 3_600_000));
}

function found(uses: readonly ApiUse[]): string[] {
  const finder = new UnusualUseFinder(options);
  return uses
    .flatMap((one) => finder.take(one))
    .map(({ finding }) => `${finding.check.policy} ${finding.check.rule} ${finding.severity}`);
}

const later = start + 40 * day;
const secrets = (at: number, count: number, more: Partial<ApiUse> = {}) =>
  Array.from({ length: count }, (_, i) => use(at + i * 1000, { resource: "secrets", name: `s${i}`, ...more }));

test.each<[string, readonly ApiUse[], readonly string[]]>([
  ["nothing new", [use(later)], []],
  ["a write", [use(later, { verb: "delete" }), use(later, { verb: "delete" })], ["usage/new-verb delete medium"]],
  ["a read", [use(later, { verb: "list", name: "" })], ["usage/new-verb list low"]],
  ["exec", [use(later, { verb: "create", resource: "pods/exec" })], ["usage/new-verb create pods/exec high"]],
  ["a try that was refused", [use(later, { verb: "delete", outcome: "403" })], ["usage/new-verb delete medium"]],
  ["at night", [use(later + 17 * 3_600_000), use(later + 17 * 3_600_000 + 9)], ["usage/odd-hours 02:00 low"]],
  ["an hour earlier", [use(later - 3_600_000)], []],
  ["another version", [use(later, { userAgent: "kubectl/v1.37.0 (darwin/arm64)" })], []],
  [
    "another program",
    [use(later, { userAgent: "curl/8.1" }), use(later, { userAgent: "curl/8.2" })],
    ["usage/new-user-agent curl low"],
  ],
  ["nine secrets", secrets(later, 9), ["usage/new-verb get secrets medium"]],
  ["ten secrets", secrets(later, 10), ["usage/new-verb get secrets medium", "usage/secret-reads bulk high"]],
  ["a new subject's pods", [use(later, { actor: "eve", verb: "delete" })], []],
  ["a new subject's ten secrets", secrets(later, 10, { actor: "eve" }), ["usage/secret-reads bulk high"]],
  [
    "ten secrets over an hour",
    secrets(later, 10).map((one, i) => ({ ...one, at: later + i * 400_000 })),
    ["usage/new-verb get secrets medium"],
  ],
  [
    "all namespaces",
    [use(later, { actor: "eve", verb: "list", resource: "secrets", namespace: "", name: "" })],
    ["usage/secret-reads everywhere high"],
  ],
])("%s", (_, uses, expected) => {
  expect(found([...working(), ...uses])).toEqual(expected);
});

test("nothing is unusual while a cluster is learned", () => {
  expect(found([...working(20), ...secrets(start + 20 * day, 50), use(start + 21 * day, { verb: "delete" })])).toEqual([]);
});

test("who reads many secrets as a habit may go on", () => {
  const habit = Array.from({ length: 40 }, (_, i) => secrets(start + i * day, 30)).flat();
  expect(found([...habit, ...secrets(later, 31)])).toEqual([]);
  expect(found([...habit, ...secrets(later, 91)])).toContain("usage/secret-reads bulk high");
});

test("an hour that comes back becomes usual", () => {
  const nights = Array.from({ length: 6 }, (_, i) => use(later + i * day + 17 * 3_600_000));
  expect(found([...working(), ...nights])).toHaveLength(3);
});

test.each([
  ["kubectl/v1.36.1 (linux/amd64) kubernetes/1a2b", "kubectl"],
  ["Mozilla/5.0 (X11)", "Mozilla"],
  ["", ""],
])("the program of %s", (agent, program) => {
  expect(programOf(agent)).toBe(program);
});

test("a request under the audit ID of another is found, before anything is learned", () => {
  const [version, secrets] = [
    { auditId: "same", request: "get /version" },
    { auditId: "same", request: "list /api/v1/secrets" },
  ];
  expect(found([use(start, version), use(start + 1, version)])).toEqual([]);
  expect(found([use(start, version), use(start + 1, { ...secrets, cluster: "dev" })])).toEqual([]);
  expect(found([use(start, { request: "a" }), use(start + 1, { request: "b" })])).toEqual([]);
  expect(found([use(start, version), use(start + 1, secrets)])).toEqual(["usage/audit-id reused medium"]);
});
