import { loaded } from "../../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonValue, member } from "../../../core/json.ts";
import { annotationsOf, type KubernetesObject } from "../../../core/kubernetes.ts";
import type { RuleContext, RuleResult } from "../../policy.ts";
import { errorResult, failedWith, passed, reasonOf } from "../outcome.ts";
import { DocumentReport } from "../report.ts";
import type { RuleCompiler } from "../rule-types.ts";
import { type Attestor, type AttestorSet, parseAttestorSet } from "../verify-images/verification.ts";
import { parseIgnoredFields, usualDomain } from "./ignored-fields.ts";
import { checkSignedManifest, type ManifestOptions, type SignedAnswer } from "./signed-manifest.ts";

interface ManifestsRule extends ManifestOptions {
  readonly attestors: readonly AttestorSet[];
  /** Where signatures are that the object does not carry; empty: nowhere. */
  readonly repository: string;
}

/**
 * Compiles `validate.manifests`: the object has to be the manifest that its annotations carry, signed by the attestors'
 * keys. No dry run fills in what the cluster would: an object that only such a run could explain fails.
 */
export const compileManifestsRule: RuleCompiler = (source) => {
  const report = new DocumentReport(source.policy.document);
  const spec = member(source.spec["validate"], "manifests") ?? null;
  const path = [...source.path, "validate", "manifests"];
  const attestors = member(spec, "attestors");
  const sets = isArray(attestors) ? attestors : [];
  if (member(member(spec, "dryRun"), "enable") === true) {
    report.warning("KYV_NOT_SUPPORTED", [...path, "dryRun"], "no dry run is made: an object that only one could explain fails");
  }
  const rule: ManifestsRule = {
    attestors: sets.map(parseAttestorSet),
    repository: asString(member(spec, "repository")) ?? "",
    domain: asString(member(spec, "annotationDomain")) || usualDomain,
    ignored: parseIgnoredFields(member(spec, "ignoreFields")),
  };
  return loaded([{ kind: "validate", evaluate: ({ context }) => evaluate(rule, context) }], report.diagnostics);
};

function evaluate(rule: ManifestsRule, context: RuleContext): readonly RuleResult[] {
  const { action, object } = context;
  if (action.operation === "DELETE") return [];
  if (object === undefined) return [errorResult("there is no object whose manifest could be checked")];
  if (action.dryRun) return [passed("allowed because of DryRun request")];
  try {
    for (const [i, set] of rule.attestors.entries()) {
      const answer = askSet(set, { rule, object, context }, `.attestors[${i}]`);
      if (!answer.verified) return [failedWith(answer.reason)];
    }
  } catch (error) {
    return [errorResult(`error occurred during manifest verification: ${reasonOf(error)}`)];
  }
  return [passed("verified manifest signatures")];
}

interface Asked {
  readonly rule: ManifestsRule;
  readonly object: KubernetesObject;
  readonly context: RuleContext;
}

/** Asks the entries until enough of them hold. @throws Error where too few do, and some could not be checked */
function askSet({ required, entries }: AttestorSet, asked: Asked, path: string): SignedAnswer {
  const errors: string[] = [];
  const reasons: string[] = [];
  let count = 0;
  for (const [i, entry] of entries.entries()) {
    const at = `${path}.entries[${i}]`;
    try {
      const answer = "nested" in entry ? askSet(entry.nested, asked, `${at}.attestor`) : askEntry(entry, asked, at);
      if (!answer.verified) reasons.push(answer.reason);
      else if (++count >= required) return answer;
    } catch (error) {
      errors.push(reasonOf(error));
    }
  }
  if (errors.length > 0) throw new Error(errors.join("; "));
  const text = `verifiedCount ${count}; requiredCount ${required}; message ${reasons.join(",")}`;
  return { verified: false, reason: `manifest verification failed; ${text}` };
}

function askEntry({ attestor, kind }: Attestor, asked: Asked, at: string): SignedAnswer {
  const { rule, object, context } = asked;
  requireAnnotations(object, attestor["annotations"]);
  const path = `${at}.${kind}`;
  if (rule.repository !== "" || (asString(attestor["repository"]) ?? "") !== "") {
    throw new Error(`${path}: signatures that are kept in a registry are not looked up`);
  }
  const publicKey = (asString(member(attestor["keys"], "publicKeys")) ?? "").trim();
  if (kind !== "keys" || !publicKey.startsWith("-----BEGIN PUBLIC KEY-----")) {
    throw new Error(`${path}: manifests are checked by public keys in PEM only`);
  }
  try {
    const answer = checkSignedManifest(object, publicKey, rule, context);
    return answer.verified ? answer : { verified: false, reason: `${path}: ${answer.reason}` };
  } catch (error) {
    throw new Error(`${path}: ${reasonOf(error)}`);
  }
}

function requireAnnotations(object: KubernetesObject, expected: JsonValue | undefined): void {
  const found = annotationsOf(object);
  for (const [key, value] of Object.entries(isObject(expected) ? expected : {})) {
    const text = found[key] ?? "";
    if (text !== value) {
      throw new Error(`annotations mismatch: ${text} does not match expected value ${String(value)} for key ${key}`);
    }
  }
}
