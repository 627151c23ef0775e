/**
 * Compares our verdicts with those of the Kyverno CLI, row by row, on real objects:
 *
 *     node test/conformance/kyverno-apply-diff.ts --policies PATH... --resources PATH...
 *
 * `--each N` gives the CLI every Nth file as it is, one a run, so that its own reading of files is compared, too; else it
 * gets the objects in batches. `--messages` compares texts, too; `--explanations FILE` replaces the list of known differences.
 * Without arguments: the pod-security and best-practices policies of the corpora on the real manifests. `kyverno` has to be
 * on PATH. Differences that kyverno-apply-diff.yaml explains are counted, all others are printed.
 * Exit code: 0 none is unexplained, 1 some are, 2 nothing to run, 3 usage.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { load } from "js-yaml";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { findProgram } from "../../src/adapters/files/programs.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject, nameOf, namespaceOf } from "../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../src/core/source.ts";
import { evaluate } from "../../src/engine/index.ts";
import { compilePolicies } from "../../src/services/policies.ts";
import { scannedFacts } from "../../src/services/scanned-facts.ts";
import { scannedObjects } from "../../src/services/scanned-objects.ts";
import { conformanceRoot, exists } from "./corpora.ts";
import { applyFile, type CliRun, cliVersion, keyOf, runCli } from "./kyverno-apply/kyverno-cli.ts";
import { compareVerdicts, type Difference, type Row, type Verdicts } from "./kyverno-apply/rows.ts";

interface Explanation {
  readonly reason: string;
  /** Regular expressions; an absent one takes everything. */
  readonly policy?: string;
  readonly rule?: string;
  readonly resource?: string;
  readonly ours?: string;
  readonly theirs?: string;
  readonly detail?: string;
}

const schemas = loadKubernetesSchemas();

function evaluateAll(policies: readonly SourceDocument[], objects: readonly KubernetesObject[]): Verdicts {
  const resources = schemas.withCustomResources(objects).resources();
  const { set, diagnostics } = compilePolicies(policies, resources);
  for (const d of diagnostics) if (d.severity === "error") console.log(`diagnostic ${d.code}: ${d.message}`);
  const facts = scannedFacts({ objects, resources, complete: false });
  const host = { now: () => Date.now(), random: Math.random };
  const rows: Row[] = [];
  const written = new Map<string, JsonValue>();
  for (const object of objects) {
    const gvk = gvkOf(object);
    const resource = resources.byKind(gvk.group, gvk.kind)?.resource ?? "";
    const names = { namespace: namespaceOf(object), name: nameOf(object) };
    const evaluation = evaluate(
      set,
      {
        channel: "scan",
        actor: undefined,
        operation: "CREATE",
        dryRun: false,
        target: { type: "kubernetes", ...gvk, resource, subresource: "", ...names },
        object,
        namespaceLabels: {},
        at: Date.now(),
      },
      facts,
      host,
      { resources, passes: true },
    );
    if (evaluation.kind === "pending") throw new Error("the facts of a scan answer every need");
    const { results } = evaluation.decision;
    for (const { policy, rule, result } of results) {
      const row = { policy: policy.id.name, rule: rule.name, resource: keyOf(object) };
      rows.push({ ...row, status: result.status, message: result.message });
      for (const made of result.generated ?? []) written.set(`${policy.id.name} ${keyOf(made)}`, made);
    }
    // The CLI prints the object after every policy that may change it, changed or not.
    let current = object;
    for (const policy of set.policies.filter((p) => p.rules.some((r) => r.kind === "mutate"))) {
      for (const { result } of results.filter((r) => r.policy === policy)) current = result.object ?? current;
      written.set(`${policy.id.name} ${keyOf(object)}`, current);
    }
  }
  return { rows, written };
}

function isExplained(difference: Difference, { reason: _, ...patterns }: Explanation): boolean {
  return Object.entries(patterns).every(([field, pattern]) => new RegExp(pattern).test(difference[field as keyof Difference]));
}

async function defaults(): Promise<{ policies: string[]; resources: string[] }> {
  const root = conformanceRoot();
  const policies = ["pod-security", "best-practices"].map((folder) => join(root, "kyverno-policies", folder));
  return { policies, resources: [join(root, "real-manifests")] };
}

async function main(args: readonly string[]): Promise<number> {
  const multiple = { type: "string", multiple: true } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      policies: multiple,
      resources: multiple,
      each: { type: "string" },
      explanations: { type: "string" },
      messages: { type: "boolean" },
    },
  });
  const paths = { ...(await defaults()), ...values };
  const program = findProgram(["kyverno"], process.env["PATH"] ?? "")?.path;
  if (program === undefined || !(await exists(paths.policies[0] ?? "")) || !(await exists(paths.resources[0] ?? ""))) {
    console.error("kyverno is not on PATH, or the policies or resources do not exist");
    return 2;
  }
  const loaded = await loadPaths(paths.policies, { render: "never" });
  const policies = loaded.documents.filter(
    ({ value }) => isKubernetesObject(value) && value.apiVersion.startsWith("kyverno.io/"),
  );
  const files = [...new Set(policies.map((d) => d.file))];
  const { documents } = await loadPaths(paths.resources, { render: "never" });
  const each = Number(values.each ?? 0);
  const { runs, refused, objects } = each > 0 ? runFiles(program, files, documents, each) : runObjects(program, files, documents);
  const compared = runs.map((theirs) => ({ theirs, ours: evaluateAll(policies, theirs.objects) }));
  const explanations = load(await readFile(values.explanations ?? join(import.meta.dirname, "kyverno-apply-diff.yaml"), "utf8"));
  const unexplained = report(compared, (explanations ?? []) as Explanation[]);
  if (values.messages === true) reportMessages(compared);
  for (const { what, message } of refused) console.log(`refused by kyverno: ${what}: ${message.slice(0, 200)}`);
  console.log(
    `kyverno ${cliVersion(program)}: ${policies.length} policies, ${objects} objects, ${refused.length} ${each > 0 ? "files" : "of them"} refused there`,
  );
  return unexplained > 0 ? 1 : 0;
}

interface Runs {
  readonly runs: readonly CliRun[];
  readonly refused: readonly { readonly what: string; readonly message: string }[];
  readonly objects: number;
}

function objectsOf(documents: readonly SourceDocument[]): readonly KubernetesObject[] {
  const values = documents.map((d) => d.value).filter(isKubernetesObject);
  const { objects } = scannedObjects(documents, "default", schemas.withCustomResources(values).resources());
  return objects.map((d) => d.value);
}

function runObjects(program: string, policies: readonly string[], documents: readonly SourceDocument[]): Runs {
  const objects = objectsOf(documents);
  const { runs, refused } = runCli(program, policies, objects);
  return {
    runs,
    refused: refused.map(({ object, message }) => ({ what: keyOf(object), message })),
    objects: objects.length,
  };
}

/** Every `each`th file, given to the CLI as it is. */
function runFiles(program: string, policies: readonly string[], documents: readonly SourceDocument[], each: number): Runs {
  const byFile = [...Map.groupBy(documents, (d) => d.file)].filter((_, i) => i % each === 0);
  const runs: CliRun[] = [];
  const refused: { readonly what: string; readonly message: string }[] = [];
  for (const [file, inFile] of byFile) {
    const objects = objectsOf(inFile);
    const verdicts = applyFile(program, policies, file);
    if (typeof verdicts === "string") refused.push({ what: file, message: verdicts });
    else runs.push({ ...verdicts, objects });
  }
  return { runs, refused, objects: runs.reduce((sum, run) => sum + run.objects.length, 0) };
}

interface Compared {
  readonly theirs: Verdicts;
  readonly ours: Verdicts;
}

/** How many rows of equal status have other texts, with an example of each rule. */
function reportMessages(compared: readonly Compared[]): void {
  const examples = new Map<string, string>();
  let others = 0;
  for (const { ours, theirs } of compared) {
    const texts = new Map(ours.rows.map((row) => [`${row.policy}/${row.rule} ${row.resource} ${row.status}`, row.message]));
    for (const row of theirs.rows) {
      const own = texts.get(`${row.policy}/${row.rule} ${row.resource} ${row.status}`);
      if (own === undefined || own === row.message) continue;
      others++;
      const rule = `${row.policy}/${row.rule} ${row.status}`;
      if (!examples.has(rule)) examples.set(rule, `${row.resource}: ours ${own}; theirs ${row.message}`);
    }
  }
  for (const [rule, example] of examples) console.log(`text ${rule} ${example}`);
  console.log(`${others} rows of equal status have other texts`);
}

/** Prints what differs; answers how much of it nothing explains. */
function report(compared: readonly Compared[], explanations: readonly Explanation[]): number {
  const counts = new Map<string, number>();
  let unexplained = 0;
  for (const difference of compared.flatMap(({ ours, theirs }) => compareVerdicts(ours, theirs))) {
    const explanation = explanations.find((e) => isExplained(difference, e));
    if (explanation !== undefined) {
      counts.set(explanation.reason, (counts.get(explanation.reason) ?? 0) + 1);
      continue;
    }
    unexplained++;
    const { policy, rule, resource, ours, theirs, detail } = difference;
    console.log(`DIFFERENT ${policy}/${rule} ${resource}: ours ${ours}, theirs ${theirs} (${detail})`);
  }
  for (const [reason, count] of counts) console.log(`explained ${count}: ${reason}`);
  const sum = (count: (c: Compared) => number) => compared.reduce((total, c) => total + count(c), 0);
  const explained = Array.from(counts.values()).reduce((a, b) => a + b, 0);
  console.log(
    `${sum((c) => c.theirs.rows.length)} rows there, ${sum((c) => c.ours.rows.length)} here; ${sum((c) => c.theirs.written.size)} changed or generated objects there: ${explained} differences explained, ${unexplained} not`,
  );
  return unexplained;
}

process.exitCode = await main(process.argv.slice(2));
