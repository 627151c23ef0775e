import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import type { Severity } from "../../core/finding.ts";
import type { JsonPath } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { labelsOf } from "../../core/kubernetes.ts";
import type { LabelPredicate, Labels } from "../../core/label-selector.ts";
import { compileSelectorField } from "../../core/label-selector-field.ts";
import { problemAt, readResource } from "../../core/resource-kind.ts";
import { compileResourceRules } from "../../core/resource-rule.ts";
import type { Schedule } from "../../core/schedule/schedule.ts";
import type { SourceDocument } from "../../core/source.ts";
import { compileWildcard } from "../../core/wildcard.ts";
import { type ConditionInput, compileActionCondition } from "../../languages/cel/action-condition.ts";
import { type GuardrailEffect, type GuardrailSpec, guardrailKind, type SubjectsSpec, usualResources } from "./guardrail-kind.ts";

/** What a guardrail judges. */
export interface GuardedAction extends Omit<ConditionInput, "risk" | "object" | "oldObject"> {
  readonly object: KubernetesObject | undefined;
  readonly oldObject: KubernetesObject | undefined;
  /** Labels of the namespace it is in; undefined: they cannot be known. @throws NeedsFacts where they are to be looked up */
  readonly namespaceLabels: () => Labels | undefined;
}

/** What a guardrail says about an action that it is about. */
export interface GuardrailVerdict {
  readonly guardrail: string;
  readonly effect: GuardrailEffect;
  readonly severity: Severity;
  /** For the person who is stopped. */
  readonly message: string;
  /** It speaks since something could not be told: a condition failed, labels are not known. */
  readonly uncertain: boolean;
}

export interface Guardrail {
  readonly name: string;
  readonly effect: GuardrailEffect;
  readonly spec: GuardrailSpec;
  readonly document: SourceDocument;
  /** What it has to be shown to judge. */
  readonly sees: { readonly object: boolean; readonly oldObject: boolean };
  /** Whether the action is one that it may speak about, by what it is, where it is and who acts. */
  concerns(action: GuardedAction): boolean;
  /** Undefined: it says nothing about this action. */
  judge(action: GuardedAction): GuardrailVerdict | undefined;
}

type Answer =
  | { readonly kind: "no" }
  | { readonly kind: "yes"; readonly why?: string }
  | { readonly kind: "unknown"; readonly why: string };
const no: Answer = { kind: "no" };
const yes: Answer = { kind: "yes" };
/** One of the questions that all have to be answered with yes, in order of their cost. */
type Question = (action: GuardedAction) => Answer;

const writes = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

const anyOf = (patterns: readonly string[]): ((text: string) => boolean) => {
  const compiled = patterns.map(compileWildcard);
  return (text) => compiled.some((matches) => matches(text));
};

/** Where an action takes place; a Namespace is in itself. */
const namespaceOfAction = ({ action }: GuardedAction): string =>
  action.resource === "namespaces" && action.group === "" ? action.name : action.namespace;

function subjectsMatch({ users = [], groups = [] }: SubjectsSpec): (action: GuardedAction) => boolean {
  const isUser = anyOf(users);
  return ({ user }) => isUser(user.name) || groups.some((group) => user.groups.includes(group));
}

class Compiler {
  readonly problems: Diagnostic[] = [];
  readonly #document: SourceDocument;

  constructor(document: SourceDocument) {
    this.#document = document;
  }

  report(path: JsonPath, message: string, severity: Diagnostic["severity"] = "error"): void {
    this.problems.push({ ...problemAt(this.#document, ["spec", ...path], message, "GUARDRAIL_INVALID"), severity });
  }

  /** What is cheap to tell. */
  scope(spec: GuardrailSpec): (action: GuardedAction) => boolean {
    const { match = {} } = spec;
    const operations = new Set<string>(match.operations ?? writes);
    const parts: ((action: GuardedAction) => boolean)[] = [({ action }) => operations.has(action.operation)];
    const add = (holds: (action: GuardedAction) => boolean) => parts.push(holds);
    const isNamed = compileResourceRules(match.resources ?? usualResources, true);
    add(({ action }) => isNamed(action));
    if (match.namespaces !== undefined) {
      const inNamespace = anyOf(match.namespaces);
      add((action) => namespaceOfAction(action) !== "" && inNamespace(namespaceOfAction(action)));
    }
    if (match.excludeNamespaces !== undefined) {
      const excluded = anyOf(match.excludeNamespaces);
      add((action) => !excluded(namespaceOfAction(action)));
    }
    if (spec.subjects !== undefined) add(subjectsMatch(spec.subjects));
    if (spec.excludeSubjects !== undefined) {
      const excluded = subjectsMatch(spec.excludeSubjects);
      add((action) => !excluded(action));
    }
    return (action) => parts.every((holds) => holds(action));
  }

  questions(spec: GuardrailSpec, schedules: ReadonlyMap<string, Schedule>): readonly Question[] {
    const { match = {} } = spec;
    const questions: Question[] = [...this.#times(spec, schedules)];
    const ofObject = this.#selector(match.objectSelector, "objectSelector");
    if (ofObject !== undefined) questions.push(objectQuestion(ofObject));
    const ofNamespace = this.#selector(match.namespaceSelector, "namespaceSelector");
    if (ofNamespace !== undefined) questions.push(namespaceQuestion(ofNamespace));
    if (spec.when !== undefined) questions.push(...this.#condition(spec.when));
    return questions;
  }

  #selector(spec: Parameters<typeof compileSelectorField>[0], name: string): LabelPredicate | undefined {
    return compileSelectorField(spec, ["match", name], (path, message) => this.report(path, message));
  }

  #condition(source: string): readonly Question[] {
    const compiled = compileActionCondition(source, false);
    if (!compiled.ok) {
      this.report(["when"], compiled.message);
      return [];
    }
    return [
      (action) => {
        const held = compiled.condition({
          ...action,
          action: { ...action.action, namespaceLabels: action.namespaceLabels() ?? {} },
        });
        if (!held.ok) return { kind: "unknown", why: held.message };
        return held.holds ? yes : no;
      },
    ];
  }

  #times({ schedules: spec = {} }: GuardrailSpec, known: ReadonlyMap<string, Schedule>): readonly Question[] {
    const found = (key: keyof typeof spec) =>
      (spec[key] ?? []).map((name, i) => {
        const schedule = known.get(name);
        // Not an error: the schedule may be stored after the guardrail, and until then the guardrail speaks.
        if (schedule === undefined) this.report(["schedules", key, i], `there is no Schedule ${JSON.stringify(name)}`, "warning");
        return { name, schedule };
      });
    type Named = ReturnType<typeof found>;
    const missing = (all: Named): Answer | undefined => {
      const lost = all.find(({ schedule }) => schedule === undefined);
      return lost === undefined ? undefined : { kind: "unknown", why: `there is no Schedule ${JSON.stringify(lost.name)}` };
    };
    const states = (all: Named, at: number) => all.flatMap(({ schedule }) => schedule?.at(at) ?? []);
    const questions: Question[] = [];
    const outside = found("outside");
    if (outside.length > 0) {
      questions.push(({ at }) => {
        const all = states(outside, at);
        if (all.some(({ open }) => open)) return no;
        return missing(outside) ?? { kind: "yes", why: all.map(({ why }) => why).join("; ") };
      });
    }
    const inside = found("inside");
    if (inside.length > 0) {
      questions.push(({ at }) => (states(inside, at).some(({ open }) => open) ? yes : (missing(inside) ?? no)));
    }
    const frozen = found("frozen");
    if (frozen.length > 0) {
      questions.push(({ at }) => {
        const freeze = states(frozen, at).find((state) => state.frozen !== undefined);
        return freeze === undefined ? (missing(frozen) ?? no) : { kind: "yes", why: freeze.why };
      });
    }
    return questions;
  }
}

const objectQuestion =
  (selects: LabelPredicate): Question =>
  ({ object, oldObject, action }) => {
    const known = [object, oldObject].filter((one) => one !== undefined);
    if (known.some((one) => selects(labelsOf(one)))) return yes;
    // Subresources are about an object that is not sent along.
    return known.length === 0 || action.subresource !== ""
      ? { kind: "unknown", why: "the labels of the object are not known" }
      : no;
  };

const namespaceQuestion =
  (selects: LabelPredicate): Question =>
  (action) => {
    if (namespaceOfAction(action) === "") return no;
    const labels = action.namespaceLabels();
    if (labels === undefined) return { kind: "unknown", why: "the labels of the namespace are not known" };
    return selects(labels) ? yes : no;
  };

/** A word that is none of the variables costs a look too many, never one too few. */
function seenBy({ when = "", match }: GuardrailSpec): Guardrail["sees"] {
  const bySelector = match?.objectSelector !== undefined;
  const byName = match?.resources?.some(({ resourceNames }) => resourceNames !== undefined) === true;
  return { object: bySelector || byName || /\bobject\b/.test(when), oldObject: bySelector || /\boldObject\b/.test(when) };
}

/**
 * Compiles a Guardrail document. What cannot be told about an action makes the guardrail speak: it never lets something
 * pass because it could not look. A schedule that is not among `schedules` is such a thing, and a warning.
 */
export function compileGuardrail(document: SourceDocument, schedules: ReadonlyMap<string, Schedule>): Loaded<Guardrail> {
  const read = readResource(document, guardrailKind);
  if (!read.ok) return read;
  const { name, spec } = read.value;
  const compiler = new Compiler(document);
  const concerns = compiler.scope(spec);
  const questions = compiler.questions(spec, schedules);
  if (compiler.problems.some(({ severity }) => severity === "error")) return failed(...compiler.problems);
  const { effect, message, severity = "high" } = spec;
  const guardrail: Guardrail = {
    name,
    effect,
    spec,
    document,
    sees: seenBy(spec),
    concerns,
    judge(action) {
      if (!concerns(action)) return undefined;
      const reasons: string[] = [];
      let uncertain = false;
      for (const question of questions) {
        const answer = question(action);
        if (answer.kind === "no") return undefined;
        if (answer.kind === "unknown") uncertain = true;
        if (answer.kind !== "yes" || answer.why !== undefined) reasons.push(answer.why ?? "");
      }
      const text = reasons.length === 0 ? message : `${message} (${reasons.join("; ")})`;
      return { guardrail: name, effect, severity, message: text, uncertain };
    },
  };
  return loaded(guardrail, compiler.problems);
}
