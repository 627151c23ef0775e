import { type JsonValue, jsonEquals } from "../../../src/core/json.ts";

/** What one rule said about one object. */
export interface Row {
  readonly policy: string;
  readonly rule: string;
  /** `apps/v1/Deployment default/web` */
  readonly resource: string;
  readonly status: string;
  readonly message: string;
}

/** Everything one engine said about a set of objects. */
export interface Verdicts {
  readonly rows: readonly Row[];
  /** Objects after each policy that may change them, and generated ones, as `policy resource`. */
  readonly written: ReadonlyMap<string, JsonValue>;
}

export interface Difference {
  readonly policy: string;
  readonly rule: string;
  readonly resource: string;
  /** Statuses, or `nothing`; for objects whether there is one. */
  readonly ours: string;
  readonly theirs: string;
  readonly detail: string;
}

export function resourceKey(apiVersion: string, kind: string, namespace: string, name: string): string {
  return `${apiVersion}/${kind} ${namespace === "" ? "default" : namespace}/${name}`;
}

function grouped(rows: readonly Row[]): Map<string, readonly Row[]> {
  return Map.groupBy(rows, (row) => `${row.policy}\t${row.rule}\t${row.resource}`);
}

const statuses = (rows: readonly Row[]): string =>
  rows
    .map((row) => row.status)
    .sort()
    .join("+") || "nothing";

/** Rows and objects in which the two differ; texts are not compared. */
export function compareVerdicts(ours: Verdicts, theirs: Verdicts): readonly Difference[] {
  const differences: Difference[] = [];
  const [left, right] = [grouped(ours.rows), grouped(theirs.rows)];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [policy = "", rule = "", resource = ""] = key.split("\t");
    const [own, other] = [left.get(key) ?? [], right.get(key) ?? []];
    if (statuses(own) === statuses(other)) continue;
    const detail = `ours: ${own.map((r) => r.message).join(" | ")}; theirs: ${other.map((r) => r.message).join(" | ")}`;
    differences.push({ policy, rule, resource, ours: statuses(own), theirs: statuses(other), detail });
  }
  for (const [key, theirObject] of theirs.written) {
    const ourObject = ours.written.get(key);
    if (jsonEquals(ourObject, theirObject)) continue;
    const [policy = "", ...rest] = key.split(" ");
    const text = (value: JsonValue | undefined) => (value === undefined ? "nothing" : "another object");
    const detail = `ours: ${JSON.stringify(ourObject)}; theirs: ${JSON.stringify(theirObject)}`;
    differences.push({
      policy,
      rule: "(object)",
      resource: rest.join(" "),
      ours: text(ourObject),
      theirs: text(theirObject),
      detail,
    });
  }
  return differences;
}
