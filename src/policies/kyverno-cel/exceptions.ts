import { parseGoTime, rfc3339, timeBetween, timeFromMilliseconds } from "../../core/go-time.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isArray, type JsonValue, member } from "../../core/json.ts";
import { groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { Env } from "../../languages/cel/env.ts";
import type { CompiledExpression } from "../cel/expression.ts";
import { ExpressionCompiler } from "../cel/expression-compiler.ts";
import { DocumentReport, reportShape } from "../kyverno/report.ts";
import type { CompileEnv, PolicyId } from "../policy.ts";
import { exceptionShape } from "./spec-shapes.ts";

/** A PolicyException of policies.kyverno.io, ready to be asked. */
export interface CelException {
  /** `namespace/name` */
  readonly key: string;
  readonly conditions: readonly CompiledExpression[];
  /** With either, the policy is not lifted: its expressions see them as `exceptions`. */
  readonly images: readonly string[];
  readonly values: readonly string[];
  readonly reportPass: boolean;
  readonly priority: number;
  expired(now: Instant): boolean;
}

const priorityLabel = "polex.kyverno.io/priority";

function isCelException(object: KubernetesObject): boolean {
  return object.kind === "PolicyException" && groupOf(object) === "policies.kyverno.io";
}

const strings = (value: JsonValue | undefined): readonly string[] =>
  isArray(value) ? value.filter((v) => typeof v === "string") : [];

function concerns(spec: JsonValue | undefined, kind: string, name: string): boolean {
  const refs = member(spec, "policyRefs");
  return isArray(refs) && refs.some((ref) => member(ref, "name") === name && member(ref, "kind") === kind);
}

/** When an exception ends; one whose end cannot be read has ended. */
function expiry(text: string | undefined): (now: Instant) => boolean {
  if (text === undefined) return () => false;
  const end = parseGoTime(rfc3339, text);
  return (now) => end === undefined || timeBetween(timeFromMilliseconds(now), end) <= 0n;
}

/** The exceptions of an environment that speak of a policy. One with an error in it lifts nothing; that goes to the policy's report. */
export function celExceptions(
  env: CompileEnv,
  { kind, name }: PolicyId,
  cel: Env,
  ofPolicy: DocumentReport,
): readonly CelException[] {
  const concerned = (env.exceptions ?? []).filter(
    ({ value }) => isCelException(value) && concerns(member(value, "spec"), kind, name),
  );
  return concerned.flatMap((document): CelException[] => {
    const report = new DocumentReport(document);
    const spec = member(document.value, "spec");
    reportShape(spec, exceptionShape, ["spec"], report);
    const compiler = new ExpressionCompiler(report);
    const conditions = compiler.conditions(member(spec, "matchConditions"), cel, ["spec", "matchConditions"]);
    // The policy itself is sound: what is wrong with an exception is a warning about it.
    ofPolicy.adopt(
      report.diagnostics.map((d) => ({ ...d, severity: "warning" })),
      [],
    );
    if (report.errorCount > 0) return [];
    const namespace = namespaceOf(document.value);
    const priority = Number(labelsOf(document.value)[priorityLabel] ?? "0");
    return [
      {
        key: namespace === "" ? nameOf(document.value) : `${namespace}/${nameOf(document.value)}`,
        conditions,
        images: strings(member(spec, "images")),
        values: strings(member(spec, "allowedValues")),
        reportPass: member(spec, "reportResult") === "pass",
        priority: Number.isInteger(priority) ? priority : 0,
        expired: expiry(asString(member(spec, "expiresAt"))),
      },
    ];
  });
}
