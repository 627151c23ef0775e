import { statSync } from "node:fs";
import { dirname } from "node:path";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { nodeTextFiles } from "../adapters/files/text-files.ts";
import { groupOf, isKubernetesObject } from "../core/kubernetes.ts";
import { styleFor, wrap, writeYaml } from "../report/index.ts";
import { type ConversionOutcome, convertAndProve } from "../services/convert/convert-and-prove.ts";
import type { ConversionTarget } from "../services/convert/convert-policy.ts";
import type { ProofObject } from "../services/convert/prove.ts";
import { testObjects } from "../services/convert/test-objects.ts";
import { isPolicyObject, type PolicyDocument } from "../services/policies.ts";
import { scannedObjects } from "../services/scanned-objects.ts";
import { findTests } from "../services/test-run.ts";
import { type CommandContext, nothingFound } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { type Io, wantsColor } from "./io.ts";
import { nodeHost } from "./node-host.ts";
import { finish, isPolicyDocument } from "./run-policy.ts";

export interface ConvertFlags {
  readonly to: ConversionTarget;
  readonly objects?: readonly string[];
  readonly stopExistingViolations?: boolean;
  readonly output: "table" | "json" | "yaml";
}

const isRuleBased = ({ value }: PolicyDocument): boolean =>
  groupOf(value) === "kyverno.io" && (value.kind === "ClusterPolicy" || value.kind === "Policy");

/** Tests are looked for below folders, and beside files. */
function testsFor(paths: readonly string[]): readonly string[] {
  const folders = paths.filter((path) => path !== "-").map((path) => (isFolder(path) ? path : dirname(path)));
  return findTests(nodeTextFiles, [...new Set(folders)]);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export async function convertPolicies(paths: readonly string[], flags: ConvertFlags, context: CommandContext): Promise<void> {
  const { io, exit } = context;
  const input = await loadPaths(paths);
  const policies = input.documents.filter(isPolicyDocument).filter(isRuleBased);
  if (policies.length === 0)
    throw nothingFound(input.diagnostics, `no ClusterPolicy or Policy of kyverno.io is in ${paths.join(", ")}`);
  const manifests = await loadPaths(flags.objects ?? []);
  const given = [...input.documents, ...manifests.documents].map((d) => d.value).filter(isKubernetesObject);
  const schemas = loadKubernetesSchemas().withCustomResources(given.filter((o) => o.kind === "CustomResourceDefinition"));
  const env = { schemas, resources: schemas.resources(), host: nodeHost(io) };
  const tests = testObjects(testsFor(paths), nodeTextFiles, env.resources);
  const own = scannedObjects(manifests.documents, "default", env.resources)
    .objects.filter(({ value }) => !isPolicyObject(value))
    .map(({ value }): ProofObject => ({ object: value, source: "manifests" }));
  const outcomes = policies.map((document) => {
    const objects = [...(tests.get(String(document.value.metadata?.name)) ?? []), ...own];
    const request = { target: flags.to, env, objects, stopExistingViolations: flags.stopExistingViolations === true };
    return convertAndProve(document, request);
  });
  write(outcomes, flags, io);
  if (outcomes.some((outcome) => outcome.kind === "refused")) exit(exitCodes.findings);
  finish([...input.diagnostics, ...manifests.diagnostics], context);
}

function write(outcomes: readonly ConversionOutcome[], { output }: ConvertFlags, io: Io): void {
  const told = `${outcomes.map((outcome) => outcomeText(outcome, io)).join("")}${summary(outcomes)}`;
  if (output === "table") io.out(told);
  else if (output === "json") io.out(`${JSON.stringify(outcomes, null, 2)}\n`);
  else {
    const objects = outcomes.flatMap((outcome) => (outcome.kind === "proven" ? outcome.objects : []));
    io.out(objects.map((object) => `---\n${writeYaml(object)}`).join(""));
    io.err(told);
  }
}

function summary(outcomes: readonly ConversionOutcome[]): string {
  const proven = outcomes.filter((outcome) => outcome.kind === "proven").length;
  return `${proven} of ${outcomes.length} policies converted, with proof.\n`;
}

function outcomeText(outcome: ConversionOutcome, io: Io): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const width = Math.min(io.outColumns ?? 80, 110) - 4;
  const indented = (text: string) => wrap(text, width).map((line) => `    ${line}\n`);
  if (outcome.kind === "refused") {
    return [`${bold(outcome.policy)}  not converted\n`, ...outcome.reasons.flatMap(indented)].join("");
  }
  const { tests, boundary, manifests } = outcome.sources;
  const names = outcome.objects.map((object) => `${object.kind} ${String(object.metadata?.name)}`).join(", ");
  const proof = `the same on ${outcome.agreed} requests, ${outcome.stopped} of them stopped or changed (${tests} objects of its tests, ${boundary} at its boundaries, ${manifests} of yours)`;
  return [
    `${bold(outcome.policy)}  converted\n`,
    ...indented(names),
    ...indented(proof).map(dim),
    ...outcome.assumptions.flatMap((text) => indented(`assumes that ${text}`)),
  ].join("");
}
