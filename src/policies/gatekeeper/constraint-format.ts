import type { Action, Operation } from "../../core/action.ts";
import { loaded } from "../../core/diagnostic.ts";
import { nameOf } from "../../core/kubernetes.ts";
import { toJson } from "../../languages/rego/values/json.ts";
import { RegoObject } from "../../languages/rego/values/value.ts";
import { resourceOf } from "../cel/resource-name.ts";
import { errorResult, passed } from "../kyverno/outcome.ts";
import type { Enforcement, PolicyFormat, RuleContext, RuleResult } from "../policy.ts";
import { policyLabels } from "../policy-labels.ts";
import { type Constraint, compileConstraint, constraintGroup, judgeBy } from "./constraint.ts";
import type { Judged, Violation } from "./engine.ts";
import { isExempt, type Process } from "./exemption.ts";
import { ExpansionFailure, type Expansions, expansionsOf } from "./expansion.ts";
import { inventoryFrom } from "./inventory.ts";
import { judgedOf } from "./judged.ts";
import { namespaceFor } from "./namespace.ts";
import { askProviders } from "./providers.ts";
import { actionReview, type EnforcementPoint, isRequest, objectReview } from "./review.ts";
import { type GatekeeperWorld, gatekeeperWorld } from "./world.ts";

const points: { readonly [channel in Action["channel"]]: EnforcementPoint } = {
  admission: "validation.gatekeeper.sh",
  background: "audit.gatekeeper.sh",
  scan: "gator.gatekeeper.sh",
};

/** A scan stands for what the webhook would say. */
const processes: { readonly [channel in Action["channel"]]: Process } = {
  admission: "webhook",
  background: "audit",
  scan: "webhook",
};

/** The reviews of one evaluation are the same for all constraints. */
const reviews = new WeakMap<RuleContext, readonly ExpandedReview[]>();

/** An object, or what it will make. */
interface ExpandedReview {
  readonly judged: Judged;
  /** The ExpansionTemplate behind it. */
  readonly impliedBy?: { readonly template: string; readonly enforcement: Enforcement | undefined } | undefined;
}

function reviewsOf(context: RuleContext, expansions: Expansions, world: GatekeeperWorld): readonly ExpandedReview[] {
  const known = reviews.get(context);
  if (known !== undefined) return known;
  const { action, object, oldObject, facts, host, resources } = context;
  const namespace = namespaceFor(context);
  const synced = action.channel === "scan" ? undefined : world.synced;
  const around = { facts, host, inventory: () => inventoryFrom(facts, synced), external: askProviders(world.documents, facts) };
  const subject = object ?? oldObject;
  if (subject === undefined) return [];
  const review = isRequest(action)
    ? actionReview(action, { object, oldObject }, resourceOf(action.target, resources), namespace)
    : objectReview(subject, action.target, "Original", namespace);
  const implied = action.operation === "DELETE" ? [] : expansions.expand(subject, namespace);
  const all: readonly ExpandedReview[] = [
    { judged: judgedOf(review, around) },
    ...implied.map(({ object: made, gvk, template, enforcement }) => ({
      judged: judgedOf(objectReview(made, gvk, "Generated", namespace), around),
      impliedBy: { template, enforcement },
    })),
  ];
  reviews.set(context, all);
  return all;
}

function resultOf({ status, message, details }: Violation, enforcement: Enforcement, review: ExpandedReview): RuleResult {
  const { impliedBy } = review;
  const shown = details === undefined || (details instanceof RegoObject && details.size === 0) ? undefined : toJson(details);
  return {
    status,
    message: impliedBy === undefined ? message : `[Implied by ${impliedBy.template}] ${message}`,
    enforcement: impliedBy?.enforcement ?? enforcement,
    ...(shown === undefined ? {} : { evidence: { details: shown } }),
  };
}

function judge(
  constraint: Constraint,
  expansions: Expansions,
  world: GatekeeperWorld,
  context: RuleContext,
): readonly RuleResult[] {
  const enforcement = constraint.enforcements(points[context.action.channel]);
  if (enforcement === undefined) return [];
  const results: RuleResult[] = [];
  let applied = false;
  let expanded: readonly ExpandedReview[];
  try {
    expanded = reviewsOf(context, expansions, world);
  } catch (error) {
    if (error instanceof ExpansionFailure) return [errorResult(error.message)];
    throw error;
  }
  for (const review of expanded) {
    const violations = judgeBy(constraint, review.judged);
    if (violations === undefined) continue;
    applied = true;
    for (const violation of violations) results.push(resultOf(violation, enforcement, review));
  }
  return applied && results.length === 0 ? [passed("")] : results;
}

const operations: readonly Operation[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** Gatekeeper's webhook gets what is created and updated, unless the template asks for more. */
function operationsOf(wanted: readonly string[] | undefined): ReadonlySet<Operation> {
  const names = wanted ?? ["CREATE", "UPDATE"];
  return new Set(names.includes("*") ? operations : operations.filter((one) => names.includes(one)));
}

/** Constraints of Gatekeeper, with the templates among the documents. */
export const constraintFormat: PolicyFormat = {
  kinds: [{ group: constraintGroup, kind: "*" }],
  compile(document, env) {
    const world = gatekeeperWorld(env);
    const object = document.value;
    const template = world.templates.get(object.kind.toLowerCase());
    const constraint = compileConstraint(document, template);
    const expansions = expansionsOf(world);
    const labels = policyLabels(object);
    const selectors =
      expansions.selectors.length === 0 ? constraint.match.selectors : [...constraint.match.selectors, ...expansions.selectors];
    return loaded(
      {
        id: { group: constraintGroup, kind: object.kind, namespace: "", name: nameOf(object) },
        origin: document,
        ...labels,
        title: labels.title || (template?.title ?? ""),
        // What cannot be judged is rejected where a violation would be.
        onError: constraint.enforcements("validation.gatekeeper.sh") === "enforce" ? "deny" : "allow",
        emitWarning: false,
        background: true,
        admission: true,
        firstRuleOnly: false,
        needs: [],
        rules: [
          {
            name: "violation",
            kind: "validate",
            selectors,
            operations: operationsOf(template?.operations),
            enforcement: () => constraint.enforcements("gator.gatekeeper.sh") ?? "audit",
            evaluate: (context) =>
              isExempt(world, processes[context.action.channel], context) ? [] : judge(constraint, expansions, world, context),
          },
        ],
      },
      constraint.diagnostics,
    );
  },
};
