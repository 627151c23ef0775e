import { existsSync } from "node:fs";
import { basename } from "node:path";
import { loadDefaultRbacObjects, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { ApiError, type KubernetesClient } from "../adapters/kubernetes/client.ts";
import { describeObject } from "../analysis/rbac/describe.ts";
import { describeChange, diffRbac, type RightsChange } from "../analysis/rbac/diff.ts";
import { Identities } from "../analysis/rbac/identities.ts";
import { documentsAfter, proposalManifest, type RbacProposal, readProposal } from "../analysis/rbac/proposal.ts";
import { type RbacWorld, rbacWorld, readDefaultRbac } from "../analysis/rbac/world.ts";
import { type KubernetesObject, nameOf, namespaceOf, resourceRef } from "../core/kubernetes.ts";
import type { SourceDocument } from "../core/source.ts";
import { count } from "../report/text.ts";
import { changesOf, isMaking, type Making, makeChange, undoOf } from "../services/rbac-apply.ts";
import { type Verification, verifyAgainst, verifySettled } from "../services/rbac-verify.ts";
import { clusterClient } from "./cluster-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadRbac } from "./rbac-input.ts";
import { writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";
import { writeYamlFile } from "./write-report.ts";

export interface ApplyFlags {
  readonly context?: string;
  readonly dryRun: "server" | "none";
  readonly undoFile?: string;
  readonly output: "table" | "json" | "yaml";
}

/** What has been done so far; printed also where the rest was refused. */
interface Answer {
  readonly dryRun: boolean;
  readonly changes: readonly RightsChange[];
  readonly before: Verification;
  readonly done: Making[];
  /** Objects that are as they should be already. */
  unchanged: number;
  undoFile?: string;
  after?: Verification;
  refused?: string;
}

/** Previews, asks the server about every changed right, keeps an undo file, makes the changes, and asks again. */
export async function runApply(file: string, flags: ApplyFlags, context: CommandContext): Promise<void> {
  const input = await loadPaths([file]);
  const proposal = readProposal(input.documents);
  const problems = [...input.diagnostics, ...(proposal.ok ? [] : proposal.diagnostics)];
  if (!proposal.ok || problems.some((d) => d.severity === "error")) return finish(problems, context);
  const { apply, delete: gone } = proposal.value;
  if (apply.length + gone.length === 0) throw new UsageError(`${file} holds no service account, role or binding`);
  const client = await clusterClient(flags);
  try {
    await changeRights(client, { file, proposal: proposal.value }, flags, context);
  } finally {
    await client.close();
  }
}

export interface RightsWanted {
  /** As it is called where it must have a name. */
  readonly file: string;
  readonly proposal: RbacProposal;
  /** The command that makes the change after a dry run. */
  readonly again?: string | undefined;
}

/** Previews, asks the server, and changes; what the API server refuses is told. */
export async function changeRights(
  client: KubernetesClient,
  wanted: RightsWanted,
  flags: ApplyFlags,
  context: CommandContext,
): Promise<void> {
  try {
    await change(client, wanted, flags, context);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    context.io.err(`castellan: the API server refused: ${error.message}\n`);
    context.exit(exitCodes.incomplete);
  }
}

async function change(
  client: KubernetesClient,
  { file, proposal, again = "--dry-run=none" }: RightsWanted,
  flags: ApplyFlags,
  context: CommandContext,
): Promise<void> {
  const live = await loadRbac(
    { cluster: true, output: flags.output, ...(flags.context === undefined ? {} : { context: flags.context }) },
    "rights",
    context,
  );
  if (live.diagnostics.some((d) => d.severity === "error")) return finish(live.diagnostics, context);
  const after = worldOf(documentsAfter(live.documents, proposal));
  const { changes } = diffRbac(live.world, after, new Identities());
  const answer: Answer = {
    dryRun: flags.dryRun === "server",
    changes,
    before: await verifyAgainst(client, live.world, changes),
    done: [],
    unchanged: 0,
  };
  if (answer.before.disagreements.length === 0) await make(client, file, proposal, flags, answer, after);
  writeAnswer(answerData(answer), () => answerText(answer, again), flags.output, context);
  const disagrees = [answer.before, answer.after].some((v) => v !== undefined && v.disagreements.length > 0);
  if (answer.refused !== undefined) context.io.err(`castellan: the API server refused: ${answer.refused}\n`);
  if (disagrees) context.io.err("castellan: something besides RBAC decides here, or the cluster changed\n");
  if (disagrees || answer.refused !== undefined) context.exit(exitCodes.incomplete);
}

async function make(
  client: KubernetesClient,
  file: string,
  proposal: RbacProposal,
  flags: ApplyFlags,
  answer: Answer,
  after: RbacWorld,
): Promise<void> {
  const all = await changesOf(client, proposal);
  const changes = all.filter(isMaking);
  answer.unchanged = all.length - changes.length;
  // The undo of what was done before stays where it is.
  if (changes.length === 0) return;
  if (!answer.dryRun) {
    // An undo is a change, too, and what undoes it has a name of its own.
    const undoFile = flags.undoFile ?? (basename(file) === "castellan-undo.yaml" ? "castellan-redo.yaml" : "castellan-undo.yaml");
    if (existsSync(undoFile)) throw new UsageError(`${undoFile} exists; name another file with --undo-file`);
    writeYamlFile(undoFile, proposalManifest(undoOf(changes)));
    answer.undoFile = undoFile;
  }
  try {
    for (const one of changes) {
      await makeChange(client, one, answer.dryRun);
      answer.done.push(one);
    }
    if (!answer.dryRun) answer.after = await verifySettled(client, after, answer.changes);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    answer.refused = error.message;
  }
}

function answerData({ dryRun, changes, before, done, unchanged, undoFile, after, refused }: Answer): object {
  return {
    dryRun,
    changes,
    verifiedBefore: before,
    done: done.map(({ action, object }) => ({ action, object: resourceRef(object) })),
    unchanged,
    ...(undoFile === undefined ? {} : { undoFile }),
    ...(after === undefined ? {} : { verifiedAfter: after }),
    ...(refused === undefined ? {} : { refused }),
  };
}

const verbs = {
  create: ["created", "would create"],
  update: ["updated", "would update"],
  recreate: ["deleted and created anew", "would delete and create anew"],
  delete: ["deleted", "would delete"],
} as const;

function answerText({ dryRun, changes, before, done, unchanged, undoFile, after, refused }: Answer, again: string): string {
  const asWanted = `${count(unchanged, "object")} as wanted already`;
  if (done.length === 0 && changes.length === 0 && refused === undefined && unchanged > 0) return `Nothing to do: ${asWanted}.\n`;
  const lines = changes.length === 0 ? ["Nobody gains or loses a right."] : changes.flatMap(describeChange);
  lines.push(...verificationText(before, "has now"));
  lines.push(...done.map(({ action, object }) => `${verbs[action][dryRun ? 1 : 0]} ${nameText(object)}`));
  if (unchanged > 0) lines.push(`${asWanted}.`);
  if (after !== undefined) lines.push(...verificationText(after, "has after the change"));
  if (undoFile !== undefined) lines.push(`Undo with: castellan rbac apply ${undoFile} --dry-run=none`);
  else if (before.disagreements.length === 0) lines.push(`Nothing was stored. Apply with ${again}.`);
  return lines.map((line) => `${line}\n`).join("");
}

function nameText(object: KubernetesObject): string {
  return describeObject({ kind: object.kind, namespace: namespaceOf(object), name: nameOf(object) });
}

function verificationText({ asked, left, disagreements }: Verification, what: string): readonly string[] {
  const rest = left > 0 ? `, ${left} more were not asked` : "";
  const verdict = disagreements.length === 0 ? "it agrees" : `it disagrees on ${disagreements.length}`;
  return [
    `Asked the server who ${what} the ${asked} changed rights${rest}: ${verdict}.`,
    ...disagreements.map(({ request, server }) => {
      const who = request.groups.length > 0 ? `${request.user} in ${request.groups.join(", ")}` : request.user;
      return `  ${who} ${request.verb} ${request.resource}${request.path}: the server says ${server ? "yes" : "no"}`;
    }),
  ];
}

/** All that bears on rights, as if these were all objects of a cluster. */
export function worldOf(documents: readonly SourceDocument[]): RbacWorld {
  return rbacWorld({
    documents,
    namespace: "default",
    complete: true,
    defaults: readDefaultRbac(loadDefaultRbacObjects()),
    catalogue: loadWorkloadCatalogue(),
  });
}
