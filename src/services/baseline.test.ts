import { describe, expect, test } from "vitest";
import { sampleFindings } from "../../test/sample-report.ts";
import { parseDocuments } from "../core/yaml/parse-documents.ts";
import { applyBaseline, baselineObject, readBaseline } from "./baseline.ts";

const read = (text: string) => readBaseline(parseDocuments(text, "baseline.yaml").documents);
const accept = (findings: typeof sampleFindings) => {
  const baseline = read(JSON.stringify(baselineObject(findings)));
  if (!baseline.ok) throw new Error("a written baseline reads back");
  return baseline.value;
};

describe("a baseline of all findings", () => {
  test("accepts every failure and warning, and nothing else", () => {
    const { kept, accepted } = applyBaseline(sampleFindings, accept(sampleFindings));
    expect(kept.map((f) => f.status)).toEqual(["error", "skip"]);
    expect(accepted).toBe(sampleFindings.length - 2);
  });

  test("reports what is new", () => {
    const [first, ...rest] = sampleFindings;
    expect(applyBaseline(sampleFindings, accept(rest)).kept).toContain(first);
  });

  test("accepts as many of one id as there were", () => {
    const twice = [...sampleFindings, ...sampleFindings];
    const failures = (n: typeof sampleFindings) => n.filter((f) => f.status === "fail" || f.status === "warn").length;
    expect(applyBaseline(twice, accept(sampleFindings)).accepted).toBe(failures(sampleFindings));
    expect(applyBaseline(twice, accept(twice)).accepted).toBe(2 * failures(sampleFindings));
  });

  test("says in words what it accepts, in a stable order", () => {
    expect(baselineObject(sampleFindings)).toEqual(baselineObject(sampleFindings.toReversed()));
    expect(baselineObject(sampleFindings)["accepted"]).toContainEqual({
      id: sampleFindings[1]?.id,
      check: "pod-security/baseline privileged",
      resource: "ray.io/v1/RayCluster nlp/trainer",
      path: "spec.headGroupSpec.template.spec.containers[1]",
    });
  });
});

test.each([
  ["another kind", "apiVersion: v1\nkind: ConfigMap\naccepted: []", 1],
  ["no list", "apiVersion: castellan.dev/v1alpha1\nkind: Baseline", 1],
  ["an entry without id", "apiVersion: castellan.dev/v1alpha1\nkind: Baseline\naccepted:\n- check: x", 4],
  ["a count of 0", "apiVersion: castellan.dev/v1alpha1\nkind: Baseline\naccepted:\n- id: a\n- {id: b, count: 0}", 5],
])("%s is refused at its place", (_, text, line) => {
  const result = read(text);
  expect(result.ok).toBe(false);
  expect(result.diagnostics.map((d) => [d.code, d.span?.start.line])).toEqual([["BASELINE_INVALID", line]]);
});
