import type { CheckRef, Finding, Fix, JsonPatchOperation, RuleStatus, Severity } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import type { JsonObject, JsonPath } from "../../core/json.ts";
import { type KubernetesObject, resourceRef } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { type LintCheckId, lintChecks } from "./checks.ts";

/** What a check found in one object, before it becomes a finding. */
export interface LintIssue {
  readonly check: LintCheckId;
  /** Which case of the check: `misspelt`, `rejected`. */
  readonly rule: string;
  readonly path: JsonPath;
  /** The key at `path` is to blame, not its value. */
  readonly atKey?: boolean;
  /** `fail`: the object is refused or does not do what it says. `warn`: it does, and that is rarely what was meant. */
  readonly status: "fail" | "warn";
  /** Where it differs from the check's own. */
  readonly severity?: Severity;
  /** What the API server does with the object; absent where it stores it as it is. Shown in the evidence. */
  readonly server?: ServerVerdict;
  readonly message: string;
  readonly evidence?: JsonObject;
  readonly fix?: Fix;
}

/** `drops-field`: an object of a client without strict field validation is stored without the field. */
type ServerVerdict = "refuses-object" | "drops-field";

export function toFinding(document: SourceDocument<KubernetesObject>, issue: LintIssue): Finding {
  const about = lintChecks[issue.check];
  const check: CheckRef = {
    policy: `lint/${issue.check}`,
    rule: issue.rule,
    title: about.title,
    category: about.category,
    ...("url" in about ? { url: about.url } : {}),
  };
  const location = issue.atKey === true ? document.locateKey(issue.path) : document.locate(issue.path);
  const status: RuleStatus = issue.status;
  return identified({
    check,
    status,
    severity: issue.severity ?? about.severity,
    resource: resourceRef(document.value),
    path: issue.path,
    ...(location === undefined ? {} : { location }),
    message: issue.message,
    ...evidenceOf(issue),
    ...(issue.fix === undefined ? {} : { fix: issue.fix }),
    controls: [],
  });
}

function evidenceOf({ evidence, server }: LintIssue): { readonly evidence?: JsonObject } {
  if (server === undefined) return evidence === undefined ? {} : { evidence };
  return { evidence: { ...evidence, apiServer: server } };
}

export function patchFix(description: string, ...patch: readonly JsonPatchOperation[]): Fix {
  return { description, patch };
}

export function adviceFix(description: string): Fix {
  return { description };
}

/** `a, b or c` */
export function orList(values: readonly string[]): string {
  return joined(values, "or");
}

/** `a, b and c` */
export function andList(values: readonly string[]): string {
  return joined(values, "and");
}

const longest = 8;

function joined(values: readonly string[], word: string): string {
  const shown = values.slice(0, longest);
  if (values.length > longest) return `${shown.join(", ")} ${word} ${values.length - longest} more`;
  if (shown.length <= 1) return shown.join("");
  return `${shown.slice(0, -1).join(", ")} ${word} ${shown.at(-1)}`;
}
