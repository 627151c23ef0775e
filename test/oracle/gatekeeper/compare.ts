/**
 * Judges objects by templates and constraints with `gator test` and with our engine, and tells every difference:
 * `node test/oracle/gatekeeper/compare.ts POLICIES OBJECTS`. gator has to be on PATH.
 *
 * Objects that name no namespace are put into `default` first, as both would find them in a cluster. What is known to
 * differ: gator takes an object without a namespace for one in a namespace without a name, so that `scope: Cluster`
 * never matches cluster-scoped objects there, and lists of namespaces do not let them through.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKubernetesSchemas } from "../../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../../src/adapters/files/load-paths.ts";
import { writeExactJson } from "../../../src/core/exact-json.ts";
import { asString, isArray, type JsonValue, member } from "../../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { compilePolicies } from "../../../src/services/policies.ts";
import { scanObjects } from "../../../src/services/scan-objects.ts";
import { scannedFacts } from "../../../src/services/scanned-facts.ts";
import { scannedObjects } from "../../../src/services/scanned-objects.ts";

type ObjectDocument = SourceDocument<KubernetesObject>;

const resources = loadKubernetesSchemas().resources();

const line = (constraint: string, object: string, message: string): string => `${constraint} on ${object}: ${message}`;

const describe = (object: KubernetesObject): string =>
  `${object.apiVersion}/${object.kind} ${namespaceOf(object)}/${nameOf(object)}`;

function byGator(policies: string, given: readonly ObjectDocument[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "castellan-gator-"));
  const file = join(folder, "objects.yaml");
  writeFileSync(file, given.map(({ value }) => writeExactJson(value)).join("\n---\n"));
  const run = spawnSync("gator", ["test", "-f", policies, "-f", file, "-o", "json"], { encoding: "utf8", maxBuffer: 1 << 28 });
  rmSync(folder, { recursive: true });
  if (run.error !== undefined) throw run.error;
  const results: JsonValue = JSON.parse(run.stdout === "" ? "[]" : run.stdout);
  const wanted = new Set(given.map(({ value }) => describe(value)));
  // gator judges the policies themselves, too.
  return (isArray(results) ? results : []).flatMap((result) => {
    const constraint = member(result, "constraint");
    const object = member(result, "violatingObject") ?? null;
    if (!isKubernetesObject(object)) throw new Error("a violation of nothing");
    if (!wanted.has(describe(object))) return [];
    const name = asString(member(member(constraint, "metadata"), "name")) ?? "";
    return [line(`${asString(member(constraint, "kind"))}/${name}`, describe(object), asString(member(result, "msg")) ?? "")];
  });
}

async function byUs(policies: string, given: readonly ObjectDocument[]): Promise<readonly string[]> {
  const { set } = compilePolicies((await loadPaths([policies])).documents, resources);
  const facts = scannedFacts({ objects: given.map((d) => d.value), resources, complete: false });
  const host = { now: () => 0, random: () => 0 };
  const said: string[] = [];
  // One by one: what a finding says of its object must be told with the object as it was given.
  for (const object of given) {
    const { findings } = scanObjects({
      objects: [object],
      policies: set,
      resources,
      facts,
      host,
      passes: false,
      workloads: undefined,
    });
    for (const { check, message } of findings) {
      const [, kind, name] = check.policy.split("/");
      said.push(line(`${kind}/${name}`, describe(object.value), message));
    }
  }
  return said;
}

function beyond(some: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const one of others) left.set(one, (left.get(one) ?? 0) + 1);
  return some.filter((one) => {
    const count = left.get(one) ?? 0;
    left.set(one, count - 1);
    return count <= 0;
  });
}

const [policies, objects] = process.argv.slice(2);
if (policies === undefined || objects === undefined) throw new Error("usage: compare.ts POLICIES OBJECTS");
const given = scannedObjects((await loadPaths([objects])).documents, "default", resources).objects;
const [gator, ours] = [byGator(policies, given), await byUs(policies, given)];
for (const one of beyond(gator, ours)) console.log(`only gator: ${one}`);
for (const one of beyond(ours, gator)) console.log(`only ours:  ${one}`);
console.log(`${gator.length} violations by gator, ${ours.length} by us`);
process.exitCode = beyond(gator, ours).length + beyond(ours, gator).length > 0 ? 1 : 0;
