import { loadDefaultRbacObjects } from "../adapters/files/catalog.ts";
import { SystemRbac } from "../analysis/rbac/audit/system.ts";
import type { Grant } from "../analysis/rbac/authorize.ts";
import { type CanIAnswer, canI } from "../analysis/rbac/can-i.ts";
import { describeObject, describeRule, describeSubject } from "../analysis/rbac/describe.ts";
import { userName } from "../analysis/rbac/identities.ts";
import { type MatrixRow, matrix } from "../analysis/rbac/matrix.ts";
import { parseResourceArgument } from "../analysis/rbac/resource-argument.ts";
import { type Holder, holdersOf } from "../analysis/rbac/who-can.ts";
import { readDefaultRbac } from "../analysis/rbac/world.ts";
import type { ApiResources } from "../core/api-resources.ts";
import type { RequestAttributes } from "../core/request-attributes.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { loadRbac, type RbacFlags } from "./rbac-input.ts";
import { columns, writeAnswer } from "./rbac-table.ts";
import { finish } from "./run-policy.ts";

interface QuestionFlags extends RbacFlags {
  readonly subresource?: string;
  readonly namespace: string;
  readonly allNamespaces?: boolean;
}

export interface CanIFlags extends QuestionFlags {
  readonly as: string;
  readonly asGroup?: readonly string[];
  readonly explain?: boolean;
}

export type WhoCanFlags = QuestionFlags;

export interface MatrixFlags extends RbacFlags {
  readonly includeSystem?: boolean;
}

interface Question {
  readonly attributes: Omit<RequestAttributes, "user" | "groups">;
  readonly notes: readonly string[];
}

/** Objects of no namespace are asked for in none: a RoleBinding never reaches them, whatever namespace was named. */
function questionOf(verb: string, resource: string, flags: QuestionFlags, resources: ApiResources): Question {
  const asked = parseResourceArgument(resource, resources);
  const { namespaced, ...target } = asked;
  if (!asked.isResourceRequest && flags.subresource !== undefined) throw new UsageError("a path has no --subresource");
  const nowhere = flags.allNamespaces === true || namespaced === false || !asked.isResourceRequest;
  const unknown = asked.isResourceRequest && namespaced === undefined && asked.resource !== "*";
  return {
    attributes: {
      ...target,
      verb: verb.toLowerCase(),
      namespace: nowhere ? "" : flags.namespace,
      subresource: flags.subresource ?? "",
    },
    notes: unknown
      ? [`The API is not known to serve ${asked.resource}${asked.apiGroup === "" ? "" : `.${asked.apiGroup}`}.`]
      : [],
  };
}

export async function runCanI(verb: string, resource: string, flags: CanIFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac(flags, "rights", context);
  const { attributes, notes } = questionOf(verb, resource, flags, input.resources);
  const answer = canI(input.world, { user: userName(flags.as), groups: flags.asGroup }, attributes, input.identities);
  writeAnswer(canIData(answer, notes), () => canIText(answer, notes, flags), flags.output, context);
  context.exit(answer.allowed ? exitCodes.clean : exitCodes.findings);
  finish(input.diagnostics, context);
}

function grantData({ binding, subject, role, rule }: Grant) {
  return {
    binding: describeObject(binding),
    subject: describeSubject(subject, binding.namespace),
    role: describeObject(role),
    rule: { ...rule },
  };
}

function canIData(
  { allowed, request, reason, grant, nearest, allowedGroups, notes }: CanIAnswer,
  more: readonly string[],
): object {
  return {
    allowed,
    request,
    reason,
    ...(grant === undefined ? {} : { grant: grantData(grant) }),
    ...(nearest === undefined
      ? {}
      : {
          nearest: {
            binding: describeObject(nearest.binding),
            role: describeObject(nearest.role),
            rule: { ...nearest.rule },
            lacks: nearest.lacks,
          },
        }),
    allowedGroups,
    notes: [...notes, ...more],
  };
}

function canIText(
  { allowed, grant, nearest, reason, allowedGroups, notes }: CanIAnswer,
  more: readonly string[],
  flags: CanIFlags,
): string {
  const lines = [allowed ? "yes" : "no"];
  if (grant !== undefined) {
    lines.push(`  rule     ${describeRule(grant.rule)}`);
    lines.push(`  role     ${describeObject(grant.role)}`);
    lines.push(`  binding  ${describeObject(grant.binding)}`);
    lines.push(`  subject  ${describeSubject(grant.subject, grant.binding.namespace)}`);
  } else if (reason !== "") lines.push(`  ${reason}`);
  if (nearest !== undefined && flags.explain === true) {
    lines.push(`  nearest  ${describeRule(nearest.rule)}`);
    lines.push(`           in ${describeObject(nearest.role)} by ${describeObject(nearest.binding)}`);
    lines.push(`  lacks    ${nearest.lacks.join("; ")}`);
  } else if (!allowed && flags.explain === true) lines.push("  No rule that applies to them here comes near.");
  if (allowedGroups.length > 0) {
    lines.push(`  The groups of ${flags.as} are not known. Members of these may: ${allowedGroups.join(", ")}`);
  }
  return [...lines, ...[...notes, ...more].map((n) => `  ${n}`)].map((line) => `${line}\n`).join("");
}

export async function runWhoCan(verb: string, resource: string, flags: WhoCanFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac(flags, "rights", context);
  const { attributes, notes } = questionOf(verb, resource, flags, input.resources);
  const request: RequestAttributes = { ...attributes, user: "", groups: [] };
  const anywhere = flags.allNamespaces === true && attributes.isResourceRequest;
  const scope = anywhere ? "anywhere" : { namespace: attributes.namespace };
  const { holders, unresolved } = holdersOf(input.world, request, scope, input.identities);
  const answer = { request: attributes, holders: holders.map(holderData), unresolved, notes };
  const text = () => [
    columns(["SUBJECT", "WHERE", "BINDING", "ROLE"], ownFirst(holders).map(holderRow), context.io),
    ...[...unresolved, ...notes, "Members of the group system:masters may always."].map((line) => `${line}\n`),
  ];
  writeAnswer(answer, () => text().join(""), flags.output, context);
  finish(input.diagnostics, context);
}

/** Kubernetes' own bindings are in every cluster: what people made is what is looked for. */
function ownFirst(holders: readonly Holder[]): readonly Holder[] {
  const system = new SystemRbac(readDefaultRbac(loadDefaultRbacObjects()));
  return holders.toSorted((a, b) => Number(system.isUnchangedBinding(a.binding)) - Number(system.isUnchangedBinding(b.binding)));
}

function holderData({ subject, members, namespace, binding, role, rule }: Holder): object {
  return {
    subject: describeSubject(subject, binding.namespace),
    members,
    namespace,
    binding: describeObject(binding),
    role: describeObject(role),
    rule: { ...rule },
  };
}

function holderRow({ subject, members, namespace, binding, role }: Holder): readonly string[] {
  const known = members.length > 0 ? ` (${members.join(", ")})` : "";
  const who = describeSubject(subject, binding.namespace) + known;
  return [who, namespace === "" ? "*" : namespace, describeObject(binding), describeObject(role)];
}

export async function runMatrix(flags: MatrixFlags, context: CommandContext): Promise<void> {
  const input = await loadRbac(flags, "rights", context);
  const rows = matrix(input.world, flags.includeSystem === true);
  writeAnswer({ subjects: rows }, () => matrixText(rows, context), flags.output, context);
  finish(input.diagnostics, context);
}

/** Of one cell: the number stands for the rest. */
const shownNamespaces = 3;

function matrixText(rows: readonly MatrixRow[], { io }: CommandContext): string {
  if (rows.length === 0) return "No subject holds a sensitive right.\n";
  const lines = rows.flatMap(({ subject, cells }) =>
    Object.entries(cells).map(([capability, where], i) => {
      const rest = where.length > shownNamespaces ? ` and ${where.length - shownNamespaces} more` : "";
      return [i === 0 ? subject : "", capability, where.slice(0, shownNamespaces).join(", ") + rest];
    }),
  );
  return columns(["SUBJECT", "RIGHT", "WHERE"], lines, io);
}
