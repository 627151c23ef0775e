import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { parseDuration } from "../../core/duration.ts";
import type { JsonPath } from "../../core/json.ts";
import { compileSelectorField } from "../../core/label-selector-field.ts";
import { problemAt, readResource } from "../../core/resource-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type Condition, compileActionCondition } from "../../languages/cel/action-condition.ts";
import type { Person } from "../person.ts";
import type { Ask } from "../request.ts";
import { type AccessRuleSpec, accessRuleKind, type SlotSpec } from "./access-rule-kind.ts";
import { compileExceptionScope, compileScope } from "./access-rule-scope.ts";
import { parseApproverSource } from "./approver-source.ts";
import { shownAction, shownAsk, shownUser } from "./shown.ts";
import { type ApproverLookup, resolveSlot } from "./slots.ts";
import type { OfferContext, RuleOffer, RuleVerdict } from "./types.ts";

export interface AccessRule {
  readonly name: string;
  readonly spec: AccessRuleSpec;
  /** Whether it offers exceptions from this policy there, to whomever. */
  offersException(policy: string, namespace: string, cluster: string): boolean;
  /** Undefined: the rule does not offer this to this person. */
  offer(person: Person, ask: Ask, context: OfferContext, lookup: ApproverLookup): RuleOffer | undefined;
}

interface CompiledCondition {
  readonly name: string;
  readonly condition: Condition;
  readonly result: RuleVerdict;
  readonly slot: SlotSpec | undefined;
  readonly message: string | undefined;
}

const minute = 60_000;
const usualPending = 60 * minute;

/** The schema has seen that it is a duration. */
const millisecondsOf = (text: string): number => Number((parseDuration(text) ?? 0n) / 1_000_000n);

class Compiler {
  readonly problems: Diagnostic[] = [];
  readonly #document: SourceDocument;
  readonly #lookup: Pick<ApproverLookup, "schedules">;

  constructor(document: SourceDocument, lookup: Pick<ApproverLookup, "schedules">) {
    this.#document = document;
    this.#lookup = lookup;
  }

  report(path: JsonPath, message: string, severity: Diagnostic["severity"] = "error"): void {
    this.problems.push({ ...problemAt(this.#document, ["spec", ...path], message, "ACCESS_RULE_INVALID"), severity });
  }

  check(spec: AccessRuleSpec): void {
    const asks = spec.asks ?? ["action"];
    const { requesters, role, autoApprove, breakGlass, approvals } = spec;
    if (requesters.users === undefined && requesters.groups === undefined) this.report(["requesters"], "nobody may ask");
    if (asks.includes("action") && spec.verbs === undefined) this.report(["verbs"], "is missing");
    if (asks.includes("action") && spec.resources === undefined) this.report(["resources"], "is missing");
    if (asks.some((ask) => ask !== "exception") && role === undefined)
      this.report(["role"], "is missing: the grant has to give something");
    if (asks.includes("exception") && spec.policies === undefined) this.report(["policies"], "is missing");
    if (approvals === undefined && autoApprove !== true && breakGlass !== true) {
      this.report(["approvals"], "nobody could approve: name approvers, or say autoApprove or breakGlass");
    }
    if (autoApprove === true && breakGlass === true) this.report(["autoApprove"], "break-glass is approved at once all the same");
    if (breakGlass === true && approvals === undefined)
      this.report(["approvals"], "somebody has to review break-glass afterwards");
    if (millisecondsOf(spec.maxDuration) <= 0) this.report(["maxDuration"], "must be longer than nothing");
    for (const [i, one] of (approvals ?? []).entries()) this.slot(one, ["approvals", i]);
    if (spec.schedule !== undefined) this.#schedule(spec.schedule, undefined, ["schedule"]);
  }

  slot(slot: SlotSpec, path: JsonPath): void {
    for (const [i, text] of slot.from.entries()) {
      const source = parseApproverSource(text);
      if (source === undefined) this.report([...path, "from", i], `${JSON.stringify(text)} names no approvers`);
      else if (source.kind === "schedule") this.#schedule(source.schedule, source.rotation, [...path, "from", i]);
    }
  }

  /** Not an error: the schedule may be stored after the rule, and until then nobody is on call. */
  #schedule(name: string, rotation: string | undefined, path: JsonPath): void {
    const schedule = this.#lookup.schedules.get(name);
    if (schedule === undefined) this.report(path, `there is no Schedule ${JSON.stringify(name)}`, "warning");
    else if (rotation !== undefined && !schedule.rotations.includes(rotation)) {
      this.report(path, `the Schedule ${name} has no rotation ${JSON.stringify(rotation)}`, "warning");
    }
  }

  conditions(spec: AccessRuleSpec): readonly CompiledCondition[] {
    return (spec.conditions ?? []).flatMap(({ name, when, result, require: slot, message }, i) => {
      const path = ["conditions", i];
      if ((result === "require") !== (slot !== undefined))
        this.report([...path, "require"], "stands with the result require, and only there");
      if (slot !== undefined) this.slot(slot, [...path, "require"]);
      const compiled = compileActionCondition(when, true);
      if (!compiled.ok) this.report([...path, "when"], compiled.message);
      return compiled.ok ? [{ name, condition: compiled.condition, result, slot, message }] : [];
    });
  }
}

interface Judgement {
  readonly verdict: RuleVerdict;
  readonly because: string;
  readonly slots: readonly SlotSpec[];
}

/** The most restrictive condition that holds; one that cannot be evaluated might have refused. */
function judge(
  name: string,
  spec: AccessRuleSpec,
  conditions: readonly CompiledCondition[],
  input: Parameters<Condition>[0],
): Judgement {
  const held: CompiledCondition[] = [];
  for (const one of conditions) {
    const result = one.condition(input);
    if (!result.ok) return { verdict: "reject", because: `${name}: ${one.name}: ${result.message}`, slots: [] };
    if (result.holds) held.push(one);
  }
  const saying = (result: RuleVerdict) => held.find((one) => one.result === result);
  const text = (one: CompiledCondition | undefined, otherwise: string) => `${name}: ${one?.message ?? one?.name ?? otherwise}`;
  const slots = spec.approvals ?? [];
  const rejected = saying("reject");
  if (rejected !== undefined) return { verdict: "reject", because: text(rejected, ""), slots: [] };
  if (spec.breakGlass === true) return { verdict: "approve", because: `${name}: break-glass`, slots: [] };
  const required = held.filter((one) => one.result === "require");
  if (required.length > 0) {
    const more = required.flatMap(({ slot }) => slot ?? []);
    return { verdict: "require", because: text(required[0], ""), slots: [...slots, ...more] };
  }
  const open = saying("no-opinion");
  const approved = saying("approve");
  const approves = open === undefined && (approved !== undefined || spec.autoApprove === true);
  if (approves) return { verdict: "approve", because: text(approved, "it approves by itself"), slots: [] };
  return { verdict: "no-opinion", because: text(open, "people decide"), slots };
}

/** Compiles an AccessRule document. Schedules that it names and that are not there are warnings. */
export function compileAccessRule(document: SourceDocument, lookup: Pick<ApproverLookup, "schedules">): Loaded<AccessRule> {
  const read = readResource(document, accessRuleKind);
  if (!read.ok) return read;
  const { name, spec } = read.value;
  const compiler = new Compiler(document, lookup);
  compiler.check(spec);
  const conditions = compiler.conditions(spec);
  const selector = compileSelectorField(spec.namespaceSelector, ["namespaceSelector"], (path, message) =>
    compiler.report(path, message),
  );
  if (compiler.problems.some(({ severity }) => severity === "error")) return failed(...compiler.problems);
  const inScope = compileScope(spec, selector);
  const users = new Set(spec.requesters.users);
  const groups = new Set(spec.requesters.groups);
  const longest = millisecondsOf(spec.maxDuration);
  const reviewers = spec.breakGlass === true ? (spec.approvals ?? []) : [];
  const fixed = {
    rule: name,
    // The schema orders fields, so that the same rule written otherwise is the same version.
    version: bytesToHex(sha256(utf8ToBytes(JSON.stringify([name, spec])))),
    pendingMilliseconds: spec.pendingTimeout === undefined ? usualPending : millisecondsOf(spec.pendingTimeout),
    holdSeconds: spec.hold === undefined ? 0 : millisecondsOf(spec.hold) / 1000,
    role: spec.role,
    group: `castellan:grant:${name}`,
    modes: spec.modes ?? (["gateway"] as const),
    breakGlass: spec.breakGlass ?? false,
    reasonRequired: spec.reasonRequired === true || spec.breakGlass === true,
  };
  const rule: AccessRule = {
    name,
    spec,
    offersException: compileExceptionScope(spec),
    offer(person, ask, context, known) {
      if ((context.breakGlass ?? false) !== fixed.breakGlass) return undefined;
      if (!users.has(person.user) && !person.groups.some((group) => groups.has(group))) return undefined;
      const preview = ask.type === "action" ? ask.preview : undefined;
      const labels = context.namespaceLabels ?? {};
      const seen = ask.type === "action" ? shownAction(ask.action, preview?.after) : shownAsk(ask, labels, context.cluster ?? "");
      const action = { ...seen, namespaceLabels: labels };
      if (!inScope(ask, action, context)) return undefined;
      if (spec.schedule !== undefined && known.schedules.get(spec.schedule)?.at(context.at).open !== true) return undefined;
      const user = shownUser(person, known.directory);
      const input = { action, user, at: context.at, object: preview?.after, oldObject: preview?.before, risk: context.rbacRisk };
      const { verdict, because, slots } = judge(name, spec, conditions, input);
      return {
        ...fixed,
        verdict,
        because,
        slots: slots.map((slot) => resolveSlot(slot, person, context.at, known)),
        reviewers: reviewers.map((slot) => resolveSlot(slot, person, context.at, known)),
        grantMilliseconds: Math.min(longest, wantedMilliseconds(ask, context.at)),
      };
    },
  };
  return loaded(rule, compiler.problems);
}

function wantedMilliseconds(ask: Ask, at: number): number {
  switch (ask.type) {
    case "action":
      return Number.POSITIVE_INFINITY;
    case "session":
      return ask.milliseconds;
    case "exception":
      return Math.max(0, ask.until - at);
  }
}
