import { loaded } from "../../../core/diagnostic.ts";
import { isArray, type JsonValue, member } from "../../../core/json.ts";
import { nameOf } from "../../../core/kubernetes.ts";
import { askedSelectors } from "../../asked-selectors.ts";
import { errorResult, passed } from "../../kyverno/outcome.ts";
import type { KindSelector, PolicyFormat, RuleContext, RuleResult } from "../../policy.ts";
import { policyLabels } from "../../policy-labels.ts";
import { isExempt } from "../exemption.ts";
import { namespaceFor } from "../namespace.ts";
import { isRequest } from "../review.ts";
import { gatekeeperWorld } from "../world.ts";
import { compileMutator, type Mutator, mutationGroup, mutatorKinds } from "./mutator.ts";
import { type Mutated, type Mutators, mutatorsOf } from "./system.ts";

const texts = (entry: JsonValue, name: string): readonly string[] => {
  const value = member(entry, name);
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
};

function selectorsOf({ applyTo, match }: Mutator): readonly KindSelector[] {
  if (applyTo === undefined) return match.selectors;
  return applyTo.flatMap((entry) =>
    texts(entry, "groups").flatMap((group) =>
      texts(entry, "versions").flatMap((version) =>
        texts(entry, "kinds").flatMap((kind) => askedSelectors(group, version, kind)),
      ),
    ),
  );
}

/** All mutators work on an object together: the first that is asked works for all, the others tell what they did. */
const outcomes = new WeakMap<object, Mutated>();

function outcomeFor(mutators: Mutators, context: RuleContext): Mutated | undefined {
  const { object, evaluation, action } = context;
  if (object === undefined) return undefined;
  const known = evaluation === undefined ? undefined : outcomes.get(evaluation);
  if (known !== undefined) return known;
  const operation = isRequest(action) ? action.operation : "";
  const user = action.actor?.user ?? "";
  const outcome = mutators.mutate({ object, namespace: namespaceFor(context), source: "Original", user, operation });
  if (evaluation !== undefined) outcomes.set(evaluation, outcome);
  return outcome;
}

function resultsOf(mutator: Mutator, mutators: Mutators, context: RuleContext): readonly RuleResult[] {
  const outcome = outcomeFor(mutators, context);
  if (outcome === undefined) return [];
  if (outcome.kind === "failed") {
    // Where nobody in particular is to blame, whoever is asked tells of it.
    return outcome.mutator === undefined || outcome.mutator === mutator.id ? [errorResult(outcome.message)] : [];
  }
  if (!outcome.applied.has(mutator.id)) return [];
  return [{ ...passed("mutated"), object: outcome.object }];
}

/** Gatekeeper's mutators. */
export const mutatorFormat: PolicyFormat = {
  kinds: mutatorKinds.map((kind) => ({ group: mutationGroup, kind })),
  compile(document, env) {
    const world = gatekeeperWorld(env);
    const { mutator, report } = compileMutator(document);
    const mutators = mutatorsOf(world);
    const isConflicting = mutator !== undefined && mutators.conflicting.has(mutator.id);
    if (isConflicting) {
      const message = "it takes its location for something else than another mutator does, so neither is applied";
      report.error("GATEKEEPER_MUTATOR", ["spec", "location"], message);
    }
    const usable = mutator !== undefined && !isConflicting ? mutator : undefined;
    const everything: readonly KindSelector[] = [{ group: "*", version: "*", kind: "*", subresource: "*" }];
    const problem = `the mutator was not applied: ${[...new Set(report.errors)].join("; ")}`;
    return loaded(
      {
        id: { group: mutationGroup, kind: document.value.kind, namespace: "", name: nameOf(document.value) },
        origin: document,
        ...policyLabels(document.value),
        onError: "deny",
        emitWarning: false,
        background: true,
        admission: true,
        firstRuleOnly: false,
        needs: [],
        rules: [
          {
            name: "mutation",
            kind: "mutate",
            selectors: mutator === undefined ? everything : selectorsOf(mutator),
            operations: new Set(["CREATE", "UPDATE"] as const),
            enforcement: () => "enforce",
            evaluate(context) {
              if (isExempt(world, "mutation-webhook", context)) return [];
              if (usable !== undefined) return resultsOf(usable, mutators, context);
              return mutator === undefined || context.object === undefined || mutator.matches(asMutable(context))
                ? [errorResult(problem)]
                : [];
            },
          },
        ],
      },
      report.diagnostics,
    );
  },
};

function asMutable(context: RuleContext) {
  const { object, action } = context;
  if (object === undefined) throw new Error("there is an object");
  return { object, namespace: namespaceFor(context), source: "Original" as const, user: "", operation: action.operation };
}
