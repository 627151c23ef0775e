import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asString, isArray, type JsonValue, member } from "../../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import { type Row, resourceKey, type Verdicts } from "./rows.ts";

/** What one run of the CLI said about its objects, no two of which have the same name. */
export interface CliRun extends Verdicts {
  readonly objects: readonly KubernetesObject[];
}

/** An object that the CLI cannot read, with its last words. */
export interface Refused {
  readonly object: KubernetesObject;
  readonly message: string;
}

/** Objects for one run of the CLI; more would only make its fake cluster slower. */
const batchSize = 400;

/** The CLI panics on two objects of one name, so that they go into different runs. */
function batches(objects: readonly KubernetesObject[]): readonly (readonly KubernetesObject[])[] {
  const found: { readonly keys: Set<string>; readonly objects: KubernetesObject[] }[] = [];
  for (const object of objects) {
    const key = keyOf(object);
    let batch = found.find((b) => b.objects.length < batchSize && !b.keys.has(key));
    if (batch === undefined) {
      batch = { keys: new Set(), objects: [] };
      found.push(batch);
    }
    batch.keys.add(key);
    batch.objects.push(object);
  }
  return found.map((b) => b.objects);
}

export function keyOf(object: KubernetesObject): string {
  return resourceKey(object.apiVersion, object.kind, namespaceOf(object), nameOf(object));
}

/** Applies policies with `kyverno apply`. A run that fails is repeated with half of the objects, until the one to blame stands alone. */
export function runCli(
  program: string,
  policies: readonly string[],
  objects: readonly KubernetesObject[],
): { readonly runs: readonly CliRun[]; readonly refused: readonly Refused[] } {
  const directory = mkdtempSync(join(tmpdir(), "kyverno-apply-"));
  const runs: CliRun[] = [];
  const refused: Refused[] = [];
  const run = (batch: readonly KubernetesObject[]): void => {
    const [object] = batch;
    if (object === undefined) return;
    const file = join(directory, "objects.yaml");
    writeFileSync(file, batch.map((one) => `${toJson(one)}\n`).join("---\n"));
    const verdicts = applyFile(program, policies, file);
    if (typeof verdicts !== "string") runs.push({ ...verdicts, objects: batch });
    else if (batch.length === 1) refused.push({ object, message: verdicts });
    else {
      run(batch.slice(0, batch.length / 2));
      run(batch.slice(batch.length / 2));
    }
  };
  try {
    for (const batch of batches(objects)) run(batch);
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { runs, refused };
}

/** What the CLI says about the objects of a file, or its last words. */
export function applyFile(program: string, policies: readonly string[], file: string): Verdicts | string {
  const args = ["apply", ...policies, "--resource", file, "--policy-report", "--output-format", "json", "--remove-color"];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 30 });
  const reports = Array.from(stdout.matchAll(/\{"kind":"(?:Cluster|Policy)Report",[^\n]*/g), ([text]) => text);
  // Where no rule said anything there is no report; a failed rule makes the status 1.
  if (reports.length === 0 && status !== 0) return lastWords(stdout + stderr);
  // The report of a policy that has a namespace is written once for each of its objects, every time whole.
  const rows = [...new Set(reports)].flatMap((text) => rowsOf(JSON.parse(text)));
  return { rows, written: writtenOf(stdout) };
}

function toJson(object: KubernetesObject): string {
  const marked = JSON.stringify(object, (_, value) => (typeof value === "bigint" ? `bigint:${value}` : value));
  return marked.replace(/"bigint:(-?\d+)"/g, "$1");
}

function lastWords(output: string): string {
  const lines = output.split("\n").filter((line) => line !== "" && !line.startsWith("Warning:"));
  return lines.find((line) => /panic|rror/.test(line)) ?? lines.at(-1) ?? "no output";
}

function rowsOf(report: JsonValue): readonly Row[] {
  const results = member(report, "results");
  return (isArray(results) ? results : []).flatMap((result) => {
    const text = (value: JsonValue | undefined, field: string) => asString(member(value, field)) ?? "";
    const resources = member(result, "resources");
    return (isArray(resources) ? resources : []).map((resource) => ({
      policy: text(result, "policy").split("/").at(-1) ?? "",
      rule: text(result, "rule"),
      resource: resourceKey(
        text(resource, "apiVersion"),
        text(resource, "kind"),
        text(resource, "namespace"),
        text(resource, "name"),
      ),
      status: text(result, "result"),
      message: text(result, "message"),
    }));
  });
}

/** Blocks of `policy NAME applied to NAMESPACE/KIND/NAME:` and the object, closed by a line of dashes. */
function writtenOf(output: string): ReadonlyMap<string, JsonValue> {
  const written = new Map<string, JsonValue>();
  for (const match of output.matchAll(/^policy (\S+) applied to \S+:\n([\s\S]*?)\n---$/gm)) {
    const [, policy = "", text = ""] = match;
    const object = parseDocuments(text, "mutated").documents[0]?.value;
    if (object !== undefined && isKubernetesObject(object)) written.set(`${policy} ${keyOf(object)}`, object);
  }
  return written;
}

/** The version that a program says it is. */
export function cliVersion(program: string): string {
  return /Version: (\S+)/.exec(spawnSync(program, ["version"], { encoding: "utf8" }).stdout)?.[1] ?? "unknown";
}
