import { type Diagnostic, failed, type Loaded, loaded } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { asString, isArray, isObject, type JsonObject, member, toDotted } from "../core/json.ts";
import { formatRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";

/** How many findings of each id are accepted: objects of the same name in several files share ids. */
export type Baseline = ReadonlyMap<string, number>;

const apiVersion = "castellan.dev/v1alpha1";
const kind = "Baseline";

/** Failures and warnings as a `Baseline` object: ids to compare by, and words so that a reviewer sees what is accepted. */
export function baselineObject(findings: readonly Finding[]): JsonObject {
  const groups = Map.groupBy(findings.filter(isAcceptable), (f) => f.id);
  const accepted = [...groups].map(([id, [first, ...rest]]) => ({
    id,
    ...(rest.length > 0 ? { count: rest.length + 1 } : {}),
    check: `${first?.check.policy} ${first?.check.rule}`,
    resource: first === undefined ? "" : formatRef(first.resource),
    ...(first?.path === undefined || first.path.length === 0 ? {} : { path: toDotted(first.path) }),
  }));
  const order = (a: { resource: string; check: string; id: string }) => `${a.resource} ${a.check} ${a.id}`;
  accepted.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return { apiVersion, kind, accepted };
}

/** Reads what `baselineObject` wrote. */
export function readBaseline(documents: readonly SourceDocument[]): Loaded<Baseline> {
  const baseline = new Map<string, number>();
  const problems: Diagnostic[] = [];
  for (const document of documents) {
    const { value } = document;
    const accepted = member(value, "accepted");
    if (member(value, "apiVersion") !== apiVersion || member(value, "kind") !== kind || !isArray(accepted)) {
      problems.push(problem(document, [], `this is no ${apiVersion} ${kind}`));
      continue;
    }
    accepted.forEach((entry, i) => {
      const id = asString(member(entry, "id"));
      const count = isObject(entry) ? (entry["count"] ?? 1) : 1;
      if (id === undefined || typeof count !== "number" || !Number.isInteger(count) || count < 1) {
        problems.push(problem(document, ["accepted", i], "an entry needs an id, and a count of 1 or more where it has one"));
      } else baseline.set(id, (baseline.get(id) ?? 0) + count);
    });
  }
  return problems.length > 0 ? failed(...problems) : loaded(baseline);
}

function problem(document: SourceDocument, path: readonly (string | number)[], message: string): Diagnostic {
  return { code: "BASELINE_INVALID", severity: "error", message, span: document.locate(path) };
}

/** The findings that the baseline does not accept, and how many it does. Errors are never accepted. */
export function applyBaseline(findings: readonly Finding[], baseline: Baseline) {
  const left = new Map(baseline);
  const kept: Finding[] = [];
  let accepted = 0;
  for (const finding of findings) {
    const count = isAcceptable(finding) ? (left.get(finding.id) ?? 0) : 0;
    if (count > 0) {
      left.set(finding.id, count - 1);
      accepted++;
    } else kept.push(finding);
  }
  return { kept, accepted };
}

function isAcceptable(finding: Finding): boolean {
  return finding.status === "fail" || finding.status === "warn";
}
