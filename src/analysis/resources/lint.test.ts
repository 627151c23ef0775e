import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Finding, severityAtLeast } from "../../core/finding.ts";
import { type JsonValue, toDotted } from "../../core/json.ts";
import { applyJsonPatch } from "../../core/json-patch.ts";
import { type KubernetesCatalog, kubernetesSchemas } from "../../core/schema.ts";
import type { SourceDocument } from "../../core/source.ts";
import { parseWorkloadCatalogue } from "../../core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { lintChecks } from "./checks.ts";
import { lint } from "./lint.ts";

interface LintCase {
  readonly name: string;
  readonly objects: readonly JsonValue[];
  /** Not tried on an API server: a tool has yet to complete the objects, or the server is stricter than the linter. */
  readonly untried?: true;
  /** The file of each object; all in one file where absent. */
  readonly files?: readonly string[];
  /** Every finding, as `check/rule path`, in any order. */
  readonly expect: readonly string[];
  /** Checks that are looked at; the others may find more. */
  readonly only?: readonly string[];
  /** A part of some finding's message. */
  readonly says?: string;
  /** Of the first finding. */
  readonly severity?: string;
}

const here = new URL(".", import.meta.url);
const catalog: KubernetesCatalog = JSON.parse(readFileSync(new URL("../../../catalog/kubernetes/v1.36.json", here), "utf8"));
const schemas = kubernetesSchemas(catalog);
const catalogue = parseWorkloadCatalogue(parse(readFileSync(new URL("../../../catalog/workloads.yaml", here), "utf8")));
if (!catalogue.ok) throw new Error("catalog/workloads.yaml is broken");
const workloads = catalogue.value;

function documents(objects: readonly JsonValue[], files?: readonly string[]): SourceDocument[] {
  const nowhere = () => undefined;
  return objects.map((value, index) => ({
    file: files?.[index] ?? "case.yaml",
    index,
    value,
    locate: nowhere,
    locateKey: nowhere,
  }));
}

function label(finding: Finding): string {
  return `${finding.check.policy.replace("lint/", "")}/${finding.check.rule} ${toDotted(finding.path ?? [])}`;
}

const caseFiles = readdirSync(here, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".cases.yaml"));

describe.each(caseFiles)("%s", (file) => {
  const cases: readonly LintCase[] = parse(readFileSync(new URL(file, here), "utf8"));

  test.each(cases)("$name", (entry) => {
    const findings = lint({ schemas, workloads, documents: documents(entry.objects, entry.files) });
    const found = findings.map(label);
    const watched =
      entry.only === undefined ? found : found.filter((text) => entry.only?.some((check) => text.startsWith(`${check} `)));
    expect(watched.toSorted()).toEqual([...entry.expect].sort());
    if (entry.says !== undefined) expect(findings.map((f) => f.message).join("\n")).toContain(entry.says);
    if (entry.severity !== undefined) expect(findings[0]?.severity).toBe(entry.severity);
    const names = findings.map((f) => `${f.resource.kind} ${f.resource.namespace} ${f.resource.name} ${label(f)}`);
    expect(new Set(findings.map((f) => f.id)).size).toBe(new Set(names).size);
  });

  test.each(cases)("$name: a patch puts its finding right and breaks nothing else", (entry) => {
    const findings = lint({ schemas, workloads, documents: documents(entry.objects, entry.files) });
    for (const finding of findings) {
      const patch = finding.fix?.patch;
      if (patch === undefined) continue;
      const index = entry.objects.findIndex((o) => lintOne(o, entry).some((f) => f.id === finding.id));
      const object = entry.objects[index];
      if (object === undefined) continue;
      const patched = applyJsonPatch(object, patch);
      expect(patched).toMatchObject({ ok: true });
      if (!patched.ok) continue;
      const after = lint({ schemas, workloads, documents: documents(entry.objects.with(index, patched.value), entry.files) });
      expect(after.map((f) => f.message)).not.toContain(finding.message);
      const worse = after.filter((f) => severityAtLeast(f.severity, "high") && !findings.some((before) => before.id === f.id));
      expect(worse.map(label).filter((text) => !sameCheck(text, findings))).toEqual([]);
    }
  });
});

function lintOne(object: JsonValue, entry: LintCase): readonly Finding[] {
  return lint({
    schemas,
    workloads,
    documents: documents([...entry.objects.filter((o) => o !== object), object], entry.files),
  }).filter((f) => typeof object === "object" && object !== null && "metadata" in object && f.resource.name === nameOf(object));
}

function nameOf(object: object): string {
  const metadata: unknown = "metadata" in object ? object.metadata : undefined;
  return typeof metadata === "object" && metadata !== null && "name" in metadata ? String(metadata.name) : "";
}

/** Indexes shift when a patch removes an item of a list. */
function sameCheck(text: string, findings: readonly Finding[]): boolean {
  return findings.some((f) => label(f).split(" ")[0] === text.split(" ")[0]);
}

test("every rule that is found is described, and every rule that is described is found by some case", () => {
  const entries = caseFiles.flatMap((file): readonly LintCase[] => parse(readFileSync(new URL(file, here), "utf8")));
  const found = new Set(entries.flatMap((entry) => entry.expect.map((text) => text.split(" ")[0] ?? "")));
  const described = Object.entries(lintChecks).flatMap(([id, { rules }]) => Object.keys(rules).map((rule) => `${id}/${rule}`));
  expect([...found].toSorted()).toEqual(described.toSorted());
});

test("findings stand at the key or the value that is to blame", () => {
  const text = `apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  restartPolicy: always
  containers:
    - name: c
      image: i
      imagePullpolicy: Always
`;
  const { documents: parsed } = parseDocuments(text, "pod.yaml");
  const places = lint({ schemas, documents: parsed }).map((f) => `${f.location?.start.line}:${f.location?.start.column}`);
  expect(places.toSorted()).toEqual(["10:7", "6:18"]);
});

test("documents that are no objects, and objects of any shape, do no harm", () => {
  const odd: readonly JsonValue[] = [
    null,
    3,
    "text",
    [],
    {},
    { apiVersion: "v1", kind: "Pod", spec: 3 },
    { apiVersion: "v1", kind: "ResourceQuota", spec: { hard: [], scopes: {}, scopeSelector: [] } },
    { apiVersion: "v1", kind: "LimitRange", spec: { limits: [3, null, { max: 4 }] } },
    { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [3, null, { resources: "x" }] },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", rules: [3, { verbs: "get", resources: {} }] },
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", spec: { ingress: [3, { from: [3], ports: [3] }], egress: "x" } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "n", labels: ["a"] } },
    { apiVersion: "v1", kind: "Secret", data: [], stringData: 3 },
    { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", spec: { versions: [3] } },
  ];
  expect(() => lint({ schemas, workloads, documents: documents(odd) })).not.toThrow();
});
