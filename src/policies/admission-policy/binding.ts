import { isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { groupOf, nameOf } from "../../core/kubernetes.ts";
import { type CompiledMatchResources, compileMatchResources } from "../cel/match-resources.ts";
import type { DocumentReport } from "../kyverno/report.ts";
import { DocumentReport as Report, reportShape } from "../kyverno/report.ts";
import type { CompileEnv } from "../policy.ts";
import { bindingShape } from "./spec-shapes.ts";

/** What puts an admission policy into effect. */
export interface Binding {
  /** The name of the rule that it makes of the policy. */
  readonly name: string;
  readonly match: CompiledMatchResources | undefined;
  readonly paramRef: JsonValue | undefined;
  readonly actions: JsonValue | undefined;
  /** What is wrong with it. */
  readonly problem: string | undefined;
}

/** Without a binding a policy has no effect in a cluster; here it is tried out, and only recorded. */
/** The rule of a policy that nothing binds. */
export const unboundRule = "unbound";

const unbound: Binding = { name: unboundRule, match: undefined, paramRef: undefined, actions: ["Audit"], problem: undefined };

function readBinding(spec: JsonObject, name: string, report: DocumentReport, env: CompileEnv): Binding {
  const resources = spec["matchResources"];
  const options = { equivalent: true, resources: env.resources };
  const match = isObject(resources) ? compileMatchResources(resources, ["spec", "matchResources"], report, options) : undefined;
  const problem = report.errorCount === 0 ? undefined : `the binding ${name} was not understood: ${report.errors.join("; ")}`;
  return { name, match, paramRef: spec["paramRef"], actions: spec["validationActions"], problem };
}

/** The bindings of a policy among those that an environment has. */
export function bindingsOf(env: CompileEnv, kind: string, policy: string, report: DocumentReport): readonly Binding[] {
  const found = (env.bindings ?? []).filter(
    ({ value }) =>
      value.kind === `${kind}Binding` &&
      groupOf(value) === "admissionregistration.k8s.io" &&
      member(value["spec"], "policyName") === policy,
  );
  if (found.length === 0) {
    report.warning("POLICY_UNBOUND", [], `${kind} ${policy} has no binding, so a cluster would not apply it`);
    return [unbound];
  }
  return found.map((document) => {
    const own = new Report(document);
    const { spec } = document.value;
    reportShape(spec, bindingShape, ["spec"], own);
    const binding = readBinding(isObject(spec) ? spec : {}, nameOf(document.value), own, env);
    report.adopt(own.diagnostics, []);
    return binding;
  });
}
