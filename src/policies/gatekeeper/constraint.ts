import type { Diagnostic } from "../../core/diagnostic.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { type KubernetesObject, nameOf, parseApiVersion } from "../../core/kubernetes.ts";
import { isDnsSubdomain } from "../../core/label-selector.ts";
import type { SourceDocument } from "../../core/source.ts";
import { DocumentReport, reportShape } from "../kyverno/report.ts";
import { fields, list } from "../kyverno/shape.ts";
import { checkedConstraint } from "./constraint-schema.ts";
import { compileEnforcement, type Enforcements } from "./enforcement.ts";
import type { Judged, Judgement, Violation } from "./engine.ts";
import { type CompiledMatch, compileMatch, MatchFailure, matchShape } from "./match.ts";
import type { Review } from "./review.ts";
import type { Template } from "./template.ts";

export const constraintGroup = "constraints.gatekeeper.sh";

const specShape = fields({
  match: matchShape,
  parameters: "any",
  enforcementAction: "string",
  scopedEnforcementActions: list(fields({ action: "string", enforcementPoints: list(fields({ name: "string" })) })),
});

/** A constraint: a template with parameters, and what it applies to. */
export interface Constraint {
  readonly kind: string;
  readonly name: string;
  readonly match: CompiledMatch;
  readonly enforcements: Enforcements;
  readonly needsInventory: boolean;
  /** Why it judges nothing. */
  readonly problem: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Whether it applies. @throws MatchFailure */
  appliesTo(review: Review): boolean;
  /** @throws NeedsFacts */
  judge(judged: Judged): readonly Violation[];
}

const versions = ["v1beta1", "v1alpha1"];

function checkIdentity(object: KubernetesObject, template: Template, report: DocumentReport): void {
  const { version } = parseApiVersion(object.apiVersion);
  if (!versions.includes(version)) {
    report.error("GATEKEEPER_CONSTRAINT", ["apiVersion"], `the version must be ${versions.join(" or ")}, not ${version}`);
  }
  if (template.kind !== object.kind) {
    report.error("GATEKEEPER_CONSTRAINT", ["kind"], `the template's kind is ${template.kind}, not ${object.kind}`);
  }
  if (!isDnsSubdomain(nameOf(object))) {
    report.error("GATEKEEPER_CONSTRAINT", ["metadata", "name"], `${JSON.stringify(nameOf(object))} is no name of an object`);
  }
}

function missingTemplate(kind: string): string {
  return `there is no ConstraintTemplate for the kind ${kind} among the policies`;
}

/** A violation by what could not be decided: Gatekeeper rejects the object then. */
const undecided = (failure: MatchFailure): Violation => ({ status: "error", message: failure.message });

const isEither = (review: Review, test: (object: KubernetesObject) => boolean): boolean =>
  (review.object !== undefined && test(review.object)) || (review.oldObject !== undefined && test(review.oldObject));

/** Compiles a constraint with its template; undefined: there is none of its kind. */
export function compileConstraint(document: SourceDocument<KubernetesObject>, template: Template | undefined): Constraint {
  const object = document.value;
  const report = new DocumentReport(document);
  const raw = object["spec"];
  const spec: JsonObject = isObject(raw) ? raw : {};
  reportShape(raw, specShape, ["spec"], report);
  let complete = object;
  if (template === undefined) report.error("GATEKEEPER_CONSTRAINT", ["kind"], missingTemplate(object.kind));
  else {
    checkIdentity(object, template, report);
    complete = checkedConstraint(object, template, report);
    if (template.problem !== undefined) report.error("GATEKEEPER_CONSTRAINT", ["kind"], template.problem);
  }
  const match = compileMatch(spec["match"], ["spec", "match"], report);
  const enforcements = compileEnforcement(spec, report);
  const problem =
    report.errorCount === 0 ? undefined : `the constraint was not evaluated: ${[...new Set(report.errors)].join("; ")}`;
  const completeSpec = complete["spec"];
  const parameters = isObject(completeSpec) ? completeSpec["parameters"] : undefined;
  const judgement: Judgement | undefined =
    problem === undefined ? template?.engine?.constraint(parameters ?? undefined, complete) : undefined;
  return {
    kind: object.kind,
    name: nameOf(object),
    match,
    enforcements,
    needsInventory: template?.engine?.needsInventory ?? false,
    problem,
    diagnostics: report.diagnostics,
    appliesTo: (review) =>
      isEither(review, (one) => match.matches({ object: one, namespace: review.namespace, source: review.source })),
    judge(judged) {
      if (problem !== undefined) return [{ status: "error", message: problem }];
      return judgement?.(judged) ?? [];
    },
  };
}

/** What the constraint says of an object; undefined: it does not apply. @throws NeedsFacts */
export function judgeBy(constraint: Constraint, judged: Judged): readonly Violation[] | undefined {
  try {
    if (!constraint.appliesTo(judged.target)) return undefined;
  } catch (failure) {
    if (failure instanceof MatchFailure) return [undecided(failure)];
    throw failure;
  }
  return constraint.judge(judged);
}
