import { readAuditLogs } from "../adapters/files/audit-log.ts";
import { describeObject, describeRule } from "../analysis/rbac/describe.ts";
import { userName } from "../analysis/rbac/identities.ts";
import { learnedProposal, replay } from "../analysis/rbac/learn/change.ts";
import { AuditLearner } from "../analysis/rbac/learn/observed.ts";
import { type BindingUse, type Learned, type Proposal, proposeRoles } from "../analysis/rbac/learn/propose.ts";
import { bindingManifest, roleManifest } from "../analysis/rbac/manifests.ts";
import { proposalManifest } from "../analysis/rbac/proposal.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import type { RequestAttributes } from "../core/request-attributes.ts";
import { styleFor } from "../report/index.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { wantsColor } from "./io.ts";
import { loadRbac, type RbacFlags } from "./rbac-input.ts";
import { writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";
import { writeYamlFile } from "./write-report.ts";

export interface LeastPrivilegeFlags extends RbacFlags {
  readonly auditLog: readonly string[];
  readonly subject?: readonly string[];
  readonly all?: boolean;
  readonly window?: number;
  readonly verify?: boolean;
  readonly proposal?: string;
}

export async function runLeastPrivilege(flags: LeastPrivilegeFlags, context: CommandContext): Promise<void> {
  if ((flags.subject === undefined) === (flags.all !== true)) throw new UsageError("name either --subject or --all");
  const input = await loadRbac(flags, "rights", context);
  const learner = new AuditLearner();
  const read = await readAuditLogs(flags.auditLog, (event) => learner.add(event));
  const wanted = flags.subject?.map(userName) ?? learner.users().filter((user) => isOutsider(user));
  const newest = newestOf(learner, wanted);
  const learned = wanted.map((user): Learned => ({ user, requests: inWindow(learner, user, newest, flags.window) }));
  const proposals = learned.filter((l) => l.requests.length > 0).map((l) => proposeRoles(input.world, l));
  const lost = flags.verify === true || flags.proposal !== undefined ? replay(input.world, proposals, learned) : undefined;
  const silent = learned.filter((l) => l.requests.length === 0).map((l) => l.user);
  // What would refuse something is not proposed.
  if (flags.proposal !== undefined && lost?.length === 0)
    writeYamlFile(flags.proposal, proposalManifest(learnedProposal(proposals)));
  const answer = {
    events: learner.events,
    subjects: proposals.map(proposalData),
    silent,
    ...(lost === undefined ? {} : { verified: { newDenials: lost } }),
  };
  if (flags.output === "yaml") writeAnswer(list(proposals), () => "", "yaml", context);
  else writeAnswer(answer, () => text(proposals, silent, lost, learner, context), flags.output, context);
  if (lost !== undefined && lost.length > 0) context.exit(exitCodes.findings);
  finish([...input.diagnostics, ...read, ...invalidEvents(learner)], context);
}

/** Components of the control plane have roles of their own. */
function isOutsider(user: string): boolean {
  return (
    !user.startsWith("system:") ||
    (user.startsWith("system:serviceaccount:") && !user.startsWith("system:serviceaccount:kube-system:"))
  );
}

function newestOf(learner: AuditLearner, users: readonly string[]): number {
  const times = users.flatMap((user) => learner.requestsOf(user).map((r) => Date.parse(r.last)));
  return times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** The window ends at the newest event of the log: an archived log is as good as a live one. */
function inWindow(learner: AuditLearner, user: string, newest: number, window: number | undefined) {
  const requests = learner.requestsOf(user);
  return window === undefined ? requests : requests.filter((r) => newest - Date.parse(r.last) <= window);
}

function invalidEvents({ invalid }: AuditLearner): readonly Diagnostic[] {
  if (invalid === 0) return [];
  return [{ code: "AUDIT_EVENT_INVALID", severity: "error", message: `${invalid} lines are JSON, but no audit events` }];
}

function manifests({ roles, bindings }: Proposal): readonly KubernetesObject[] {
  return [...roles.map(roleManifest), ...bindings.map(bindingManifest)];
}

function list(proposals: readonly Proposal[]): KubernetesObject {
  return { apiVersion: "v1", kind: "List", items: proposals.flatMap(manifests) };
}

function proposalData(proposal: Proposal): object {
  const use = ({ binding, lastUsed }: BindingUse) => ({ binding: describeObject(binding), lastUsed: lastUsed ?? null });
  return {
    user: proposal.user,
    requests: proposal.requests,
    objects: manifests(proposal),
    replaced: proposal.replaced.map(use),
    kept: proposal.kept.map(use),
    unused: proposal.unused.map(({ lastUsed: _, ...rule }) => rule),
    denied: proposal.denied.map(describeRequest),
  };
}

function describeRequest({
  verb,
  isResourceRequest,
  path,
  apiGroup,
  resource,
  subresource,
  namespace,
  name,
}: RequestAttributes): string {
  if (!isResourceRequest) return `${verb} ${path}`;
  const type = `${resource}${subresource === "" ? "" : `/${subresource}`}${apiGroup === "" ? "" : `.${apiGroup}`}`;
  return [verb, type, name, namespace === "" ? "" : `in ${namespace}`].filter((s) => s !== "").join(" ");
}

function text(
  proposals: readonly Proposal[],
  silent: readonly string[],
  lost: readonly RequestAttributes[] | undefined,
  learner: AuditLearner,
  { io }: CommandContext,
): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const lines: string[] = [];
  for (const proposal of proposals) {
    lines.push(bold(`${proposal.user}, ${proposal.requests} requests`));
    for (const role of proposal.roles) {
      lines.push(`  ${describeObject(role)}`, ...role.rules.map((rule) => `    ${describeRule(rule)}`));
    }
    if (proposal.roles.length === 0) lines.push("  needs nothing beyond what it keeps");
    for (const { binding, lastUsed } of proposal.replaced) lines.push(`  replaces ${describeObject(binding)}, ${used(lastUsed)}`);
    for (const { binding, lastUsed } of proposal.kept) lines.push(dim(`  keeps ${describeObject(binding)}, ${used(lastUsed)}`));
    for (const { binding, rule } of proposal.unused) lines.push(dim(`  unused: ${rule}, by ${binding}`));
    if (proposal.denied.length > 0) lines.push(dim(`  refused, not granted: ${proposal.denied.map(describeRequest).join("; ")}`));
    lines.push("");
  }
  if (silent.length > 0) lines.push(`Not in the log: ${silent.join(", ")}.`);
  lines.push(`${learner.events} events of ${learner.users().length} users. -o yaml prints the objects.`);
  if (lost !== undefined) {
    lines.push(lost.length === 0 ? "Replayed: 0 new denials." : `Replayed: ${lost.length} requests would be refused:`);
    lines.push(...lost.map((request) => `  ${request.user}: ${describeRequest(request)}`));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function used(lastUsed: string | undefined): string {
  return lastUsed === undefined ? "not used in this log" : `last used ${lastUsed}`;
}
