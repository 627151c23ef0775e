import { loaded } from "../../core/diagnostic.ts";
import { annotationsOf } from "../../core/kubernetes.ts";
import { castellanGroup, isOfKind } from "../../core/resource-kind.ts";
import { compileSchedule, type Schedule } from "../../core/schedule/schedule.ts";
import { scheduleKind } from "../../core/schedule/schedule-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { PolicyFormats } from "../formats.ts";
import { failedWith } from "../kyverno/outcome.ts";
import type { CompiledRule, CompileEnv, KindSelector, PolicyFormat, RuleResult } from "../policy.ts";
import { guardedAction } from "./guarded-action.ts";
import { compileGuardrail, type Guardrail } from "./guardrail.ts";
import { type GuardrailSpec, guardrailKind, usualResources } from "./guardrail-kind.ts";

/** Kept with the documents that are compiled together: all guardrails share their schedules. */
const known = new WeakMap<readonly SourceDocument[], ReadonlyMap<string, Schedule>>();

/** The schedules among documents, by name; of two the first counts. Those that are wrong are left out, and say so themselves. */
function schedulesOf(documents: readonly SourceDocument[]): ReadonlyMap<string, Schedule> {
  let schedules = known.get(documents);
  if (schedules === undefined) {
    const compiled = documents.filter(({ value }) => isOfKind(value, scheduleKind)).map(compileSchedule);
    schedules = new Map(compiled.flatMap((one) => (one.ok ? [[one.value.name, one.value] as const] : [])).toReversed());
    known.set(documents, schedules);
  }
  return schedules;
}

/** What is wrong with the schedules among documents. */
function scheduleDiagnostics({ documents = [] }: CompileEnv) {
  return documents.filter(({ value }) => isOfKind(value, scheduleKind)).flatMap((one) => compileSchedule(one).diagnostics);
}

/** Kinds that may be meant; of a subresource the kind says nothing, since it has one of its own. */
function selectorsOf({ match }: GuardrailSpec, env: CompileEnv): readonly KindSelector[] {
  const rules = match?.resources ?? usualResources;
  return rules.flatMap(({ apiGroups, resources }) =>
    resources.flatMap((text) => {
      const [resource = "", subresource = ""] = text.split("/");
      if (subresource !== "") {
        const sub = { group: "*", version: "*", kind: "*", subresource };
        return text === "*/*" ? [{ ...sub, subresource: "" }, sub] : [sub];
      }
      return apiGroups.map((group) => {
        const kind = resource === "*" || group === "*" ? undefined : env.resources.byResource(group, resource)?.kind;
        return { group, version: "*", kind: kind ?? "*", subresource: "" };
      });
    }),
  );
}

const askFor: { readonly [effect in Guardrail["effect"]]: string } = {
  deny: "",
  warn: "",
  "require-approval": "; it needs an approval",
  "require-reason": "; it needs a reason",
};

function ruleOf(guardrail: Guardrail, env: CompileEnv): CompiledRule {
  const { spec, effect } = guardrail;
  const wanted = spec.match?.operations ?? ["CREATE", "UPDATE", "DELETE", "CONNECT"];
  return {
    name: effect,
    kind: "validate",
    selectors: selectorsOf(spec, env),
    operations: new Set(wanted.filter((operation) => operation !== "READ")),
    enforcement: () => (effect === "warn" ? "warn" : "enforce"),
    evaluate(context): readonly RuleResult[] {
      const verdict = guardrail.judge(guardedAction(context));
      return verdict === undefined ? [] : [failedWith(`${verdict.message}${askFor[effect]}`)];
    },
  };
}

/** Our own Guardrail, for everybody who goes around the gateway: what it stops is denied unless an approval lifts it. */
export const guardrailFormat: PolicyFormat = {
  kinds: [{ group: castellanGroup, kind: guardrailKind.kind }],
  compile(document, env) {
    const compiled = compileGuardrail(document, schedulesOf(env.documents ?? []));
    if (!compiled.ok) return compiled;
    const guardrail = compiled.value;
    const annotations = annotationsOf(document.value);
    return loaded(
      {
        id: { group: castellanGroup, kind: guardrailKind.kind, namespace: "", name: guardrail.name },
        origin: document,
        title: annotations["castellan.dev/title"] ?? "",
        category: "Access",
        severity: guardrail.spec.severity ?? "high",
        controls: [],
        onError: "deny",
        emitWarning: false,
        // A guardrail is about doing something, at a time, by somebody: what is there already is not.
        background: false,
        admission: true,
        firstRuleOnly: false,
        needs: [],
        rules: [ruleOf(guardrail, env)],
      },
      compiled.diagnostics,
    );
  },
};

export const guardrailFormats: PolicyFormats = { formats: [guardrailFormat], companionDiagnostics: scheduleDiagnostics };
