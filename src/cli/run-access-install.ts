import { accessRuleKind } from "../access/rules/access-rule-kind.ts";
import { gatewayRoles } from "../adapters/files/gateway-roles.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { diffRbac } from "../analysis/rbac/diff.ts";
import { Identities } from "../analysis/rbac/identities.ts";
import { escalationPaths } from "../analysis/rbac/paths/paths.ts";
import { documentsAfter, objectKey, type RbacProposal } from "../analysis/rbac/proposal.ts";
import type { RbacWorld } from "../analysis/rbac/world.ts";
import { type KubernetesObject, labelsOf, nameOf } from "../core/kubernetes.ts";
import { isOfKind, readResource } from "../core/resource-kind.ts";
import { grantBindings, type NamedRule, ruleLabel } from "../services/access/grant-bindings.ts";
import { clusterClient } from "./cluster-client.ts";
import { type CommandContext, found, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadRbac } from "./rbac-input.ts";
import { finish } from "./run-policy.ts";
import { type ApplyFlags, changeRights, worldOf } from "./run-rbac-apply.ts";

export interface InstallFlags {
  readonly access: readonly string[];
  readonly context?: string;
  readonly gateway?: string;
  readonly acceptRisk?: readonly string[];
  readonly yes?: boolean;
  readonly undoFile?: string;
  readonly output: "table" | "json" | "yaml";
}

/** Previews the bindings that grants need, has the RBAC analysis judge them, and with --yes makes them. */
export async function installAccess(flags: InstallFlags, context: CommandContext): Promise<void> {
  if (flags.access.length === 0) throw new UsageError("name the files with access rules");
  const rules = await rulesOf(flags.access);
  const cluster = { cluster: true, output: flags.output, ...(flags.context === undefined ? {} : { context: flags.context }) };
  const live = await loadRbac(cluster, "rights", context);
  if (live.diagnostics.some((d) => d.severity === "error")) return finish(live.diagnostics, context);
  const namespaces = live.documents
    .map(({ value }) => value)
    .filter((value): value is KubernetesObject => isNamespace(value))
    .map((object) => ({ name: nameOf(object), labels: labelsOf(object) }));
  const client = await clusterClient({ context: flags.context });
  try {
    const { bindings, notes } = grantBindings(rules, client.context, namespaces);
    for (const note of notes) context.io.err(`castellan: ${note}\n`);
    const apply = [...bindings, ...(flags.gateway === undefined ? [] : gatewayObjects(flags.gateway))];
    const proposal = { apply, delete: staleBindings(live.world, apply) };
    if (apply.length + proposal.delete.length === 0)
      throw new UsageError("the access rules name no role, so there is nothing to bind");
    const problems = problemsOf(live.world, worldOf(documentsAfter(live.documents, proposal)), proposal, rules, flags);
    if (problems.length > 0) {
      for (const problem of problems) context.io.err(`castellan: ${problem}\n`);
      context.io.err("castellan: nothing was changed\n");
      return context.exit(exitCodes.findings);
    }
    const { context: name, undoFile, output, yes } = flags;
    const how: ApplyFlags = {
      dryRun: yes === true ? "none" : "server",
      output,
      ...(name === undefined ? {} : { context: name }),
      ...(undoFile === undefined ? {} : { undoFile }),
    };
    await changeRights(
      client,
      { file: "castellan-access.yaml", proposal, again: "castellan access install ... --yes" },
      how,
      context,
    );
  } finally {
    await client.close();
  }
}

async function rulesOf(paths: readonly string[]): Promise<readonly NamedRule[]> {
  const { documents, diagnostics } = await loadPaths(paths);
  const broken = diagnostics.find(({ severity }) => severity === "error");
  if (broken !== undefined) throw new UsageError(broken.message);
  const rules = documents.filter(({ value }) => isOfKind(value, accessRuleKind));
  if (rules.length === 0) throw new UsageError(`${paths.join(", ")} holds no AccessRule`);
  return rules.map((document) => found(readResource(document, accessRuleKind)));
}

const isNamespace = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  "kind" in value &&
  value.kind === "Namespace" &&
  "apiVersion" in value &&
  value.apiVersion === "v1";

/** What an earlier install made and none of the rules wants any more. */
function staleBindings(world: RbacWorld, wanted: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const keys = new Set(wanted.map(objectKey));
  return [...world.index.bindings()].flatMap(({ document }) => {
    const object = document?.value;
    return object === undefined || labelsOf(object)[ruleLabel] === undefined || keys.has(objectKey(object)) ? [] : [object];
  });
}

/** The gateway's own role, bound to its service account. */
function gatewayObjects(account: string): readonly KubernetesObject[] {
  const [namespace, name, more] = account.split("/");
  if (namespace === undefined || namespace === "" || name === undefined || name === "" || more !== undefined)
    throw new UsageError(`--gateway names a service account as NAMESPACE/NAME, not ${account}`);
  return gatewayRoles().flatMap((object) => {
    if (object.kind !== "ClusterRoleBinding") return nameOf(object) === "castellan-gateway" ? [object] : [];
    return [{ ...object, subjects: [{ kind: "ServiceAccount", name, namespace }] }];
  });
}

/**
 * Why these bindings must not be made: somebody but a grant's group or the gateway would gain rights, somebody is in such a
 * group by a binding that is no grant's, or a grant would lead to the whole cluster and nobody has said that it may.
 */
function problemsOf(
  before: RbacWorld,
  after: RbacWorld,
  proposal: RbacProposal,
  rules: readonly NamedRule[],
  { gateway, acceptRisk = [] }: InstallFlags,
): readonly string[] {
  const identities = new Identities();
  const groups = new Map(rules.map(({ name }) => [`castellan:grant:${name}`, name]));
  const mine = new Set([...groups.keys()].map((group) => `Group ${group}`));
  const account = gateway === undefined ? undefined : `ServiceAccount ${gateway}`;
  const { changes, unresolved } = diffRbac(before, after, identities);
  const others = changes.filter(({ subject, gains }) => gains.length > 0 && !mine.has(subject) && subject !== account);
  const problems = others.map(({ subject }) => `${subject} would gain rights, and only grants may`);
  const ours = new Set(proposal.apply.map(nameOf));
  problems.push(
    ...unresolved
      .filter((text) => [...ours].some((name) => text.includes(name)))
      .map((text) => `${text}: a grant of it would give nothing`),
  );
  for (const [group, rule] of groups) {
    if (acceptRisk.includes(rule)) continue;
    const report = escalationPaths(after, identities, { from: { kind: "group", group }, to: { kind: "cluster-admin" } });
    const [path] = report.paths;
    const how = report.already.length > 0 ? "it is everything" : path?.hops.map(({ says }) => says).join("; then ");
    if (how !== undefined)
      problems.push(`a grant of ${rule} leads to the whole cluster: ${how}. If it is meant to: --accept-risk ${rule}`);
  }
  return problems;
}
