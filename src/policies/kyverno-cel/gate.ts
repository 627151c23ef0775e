import { isArray, type JsonObject, type JsonPath, member } from "../../core/json.ts";
import { type KubernetesObject, namespaceOf } from "../../core/kubernetes.ts";
import { latest } from "../../core/latest.ts";
import type { Activation } from "../../languages/cel/compile/frame.ts";
import type { Env } from "../../languages/cel/env.ts";
import { CelError, type CelValue, Failure, type Value } from "../../languages/cel/values/value.ts";
import { CelSession, type CompiledExpression } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { inputsWithExceptions, lazily, requestOf } from "../cel/inputs.ts";
import { type CompiledMatchResources, compileMatchResources } from "../cel/match-resources.ts";
import type { CompiledVariables } from "../cel/variables.ts";
import { errorResult, passed, reasonOf, skipped } from "../kyverno/outcome.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import type { RuleContext, RuleResult } from "../policy.ts";
import { kyvernoLimits } from "./environment.ts";
import type { CelException } from "./exceptions.ts";

/** Whether a policy is about an object, and then what its expressions see. */
export type Entered = { readonly kind: "none" } | { readonly kind: "result"; readonly result: RuleResult } | Opened;

/** The policy is about the object. */
export interface Opened {
  readonly kind: "open";
  readonly session: CelSession;
  readonly variables: Activation;
}

/** From now on expressions see this value under the name; variables that were computed before keep their values. */
export function show(variables: Activation, name: string, value: Value): void {
  Object.defineProperty(variables, name, { value, configurable: true });
}

/** What stands before the expressions of a Kyverno CEL policy: constraints, exceptions, conditions. */
export interface Gate {
  readonly match: CompiledMatchResources;
  readonly variables: CompiledVariables;
  /** @throws NeedsFacts */
  enter(context: RuleContext): Entered;
  /** As {@link enter}, for another object than that of the request: constraints are not asked. */
  enterTarget(context: RuleContext, target: KubernetesObject, conditions: readonly CompiledExpression[]): Entered;
}

export interface GateSpec {
  readonly spec: JsonObject;
  /** The member that holds the conditions: `matchConditions`. */
  readonly conditions: "matchConditions" | "conditions";
  readonly path: JsonPath;
  /** Empty for policies of the cluster. */
  readonly namespace: string;
  readonly env: Env;
  readonly exceptions: readonly CelException[];
  /** What expressions see besides an admission request's parts. */
  readonly inputs?: (context: RuleContext, inputs: Activation) => Activation;
  /** The whole object is judged, whatever kind it is. */
  readonly anyObject?: boolean;
}

/** The value of an expression in Kyverno's words. @throws Error with the reason, NeedsFacts, OutOfCost */
export function evaluateNow(expression: CompiledExpression, session: CelSession, variables: Activation): CelValue {
  const value = session.settle(expression, variables);
  if (value instanceof Failure) throw new Error(value instanceof CelError ? value.message : "outside data is missing");
  return value;
}

/** Whether all conditions hold. @throws Error where one cannot be evaluated and none is false */
function allHold(conditions: readonly CompiledExpression[], session: CelSession, variables: Activation): boolean {
  const errors: string[] = [];
  for (const condition of conditions) {
    try {
      if (evaluateNow(condition, session, variables) === false) return false;
    } catch (error) {
      errors.push(reasonOf(error));
    }
  }
  if (errors.length > 0) throw new Error(errors.join("; "));
  return true;
}

const noExceptions = { allowedImages: [], allowedValues: [] };

/** What expressions see where no exception applies; the same for all policies. */
const kyvernoInputs = latest((context: RuleContext): Activation => {
  return inputsWithExceptions(context, ({ object, oldObject }) => ({ ...requestOf(context), object, oldObject }), noExceptions);
});

function lifted(exceptions: readonly CelException[]): RuleResult {
  const keys = exceptions.map((e) => e.key);
  const first = exceptions.toSorted((a, b) => b.priority - a.priority)[0];
  const text = (what: string) => `rule is ${what} due to policy exception: ${keys.join(", ")}`;
  const result = first?.reportPass === true ? passed(text("passed")) : skipped(text("skipped"));
  return { ...result, exceptions: keys };
}

/** Compiles the parts of a spec that decide whether and with what its other expressions run. */
export function compileGate(gate: GateSpec, env: { resources: RuleContext["resources"] }, report: DocumentReport): Gate {
  const { spec, path, namespace, exceptions } = gate;
  const compiler = new ExpressionCompiler(report);
  const match = compileMatchResources(spec["matchConstraints"], [...path, "matchConstraints"], report, {
    equivalent: false,
    resources: env.resources,
  });
  const variables = compiler.variables(spec["variables"], gate.env, [...path, "variables"]);
  const conditionPath = [...path, gate.conditions];
  const conditions = compiler.conditions(spec[gate.conditions], variables.env, conditionPath);
  const failsOpen = spec["failurePolicy"] === "Ignore";
  const rules = member(spec["matchConstraints"], "resourceRules");
  const matchesNothing = gate.anyObject !== true && !isArray(rules);

  const matches = (context: RuleContext): boolean => {
    if (gate.anyObject === true) return context.action.payloadKind === undefined;
    const subject = context.object ?? context.oldObject;
    if (namespace !== "" && (subject === undefined || namespaceOf(subject) !== namespace)) return false;
    return !matchesNothing && match.matches(context);
  };

  const holds = (list: readonly CompiledExpression[], session: CelSession, inputs: Activation): boolean => {
    try {
      return allHold(list, session, inputs);
    } catch (error) {
      const reason = reasonOf(error);
      if (failsOpen) return false;
      throw new Error(reason);
    }
  };

  const open = (context: RuleContext, target: KubernetesObject | undefined, wanted: readonly CompiledExpression[]): Entered => {
    const { facts, host } = context;
    const session = new CelSession({ facts, host }, kyvernoLimits);
    const own = kyvernoInputs(context);
    const base = target === undefined ? own : lazily({ object: () => target, oldObject: () => null }, own);
    const plain = gate.inputs?.(context, base) ?? base;
    try {
      let seen = plain;
      if (exceptions.length > 0) {
        const applied = exceptions.filter((e) => !e.expired(host.now()) && holds(e.conditions, session, plain));
        const whole = applied.some((e) => e.images.length === 0 && e.values.length === 0);
        if (whole) return { kind: "result", result: lifted(applied) };
        const allowed = {
          allowedImages: applied.flatMap((e) => e.images),
          allowedValues: applied.flatMap((e) => e.values),
        };
        if (applied.length > 0) seen = lazily({ exceptions: () => allowed }, plain);
      }
      const inputs = variables.bind(session, seen);
      if (!holds(wanted, session, inputs)) return { kind: "result", result: skipped("a match condition does not hold") };
      return { kind: "open", session, variables: inputs };
    } catch (error) {
      return { kind: "result", result: errorResult(`failed to load context: ${reasonOf(error)}`) };
    }
  };

  const enter = (context: RuleContext): Entered => {
    try {
      if (!matches(context)) return { kind: "none" };
    } catch (error) {
      return { kind: "result", result: errorResult(`failed to execute matching: ${reasonOf(error)}`) };
    }
    return open(context, undefined, conditions);
  };
  const enterTarget: Gate["enterTarget"] = (context, target, wanted) => open(context, target, wanted);
  return { match: gate.anyObject === true ? { ...match, selectors: everything } : match, variables, enter, enterTarget };
}

const everything = [{ group: "*", version: "*", kind: "*", subresource: "*" }];
