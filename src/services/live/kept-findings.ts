import { hash } from "node:crypto";
import type { Finding, Fix } from "../../core/finding.ts";
import type { JsonObject, JsonPath } from "../../core/json.ts";
import type { KubernetesObject, ResourceRef } from "../../core/kubernetes.ts";
import { type PolicyResult, plainFinding } from "../../engine/index.ts";
import type { ObjectDocument } from "../scanned-objects.ts";

/** Texts that are known at a time: those of the rules at hand; who fell out is only kept twice. */
const remembered = 10_000;

const sha256 = (text: string): string => hash("sha256", text, "hex");

/** What a policy found in an object, worked out at once. */
export function tellAtOnce(told: PolicyResult, object: KubernetesObject, document: ObjectDocument): Finding {
  return plainFinding(told, object, document, sha256);
}

/**
 * Makes findings that are kept for as long as they hold: plain data. What they are worked out from, when somebody asks, is
 * the whole evaluation of the object. Rules say much the same of many objects: what they say is there once.
 */
export class FindingKeeper {
  readonly #resources = new Map<string, ResourceRef>();
  readonly #messages = new Map<string, string>();
  readonly #paths = new Map<string, JsonPath>();
  readonly #evidence = new Map<string, JsonObject>();
  readonly #fixes = new Map<string, Fix>();

  readonly keep = (finding: Finding): Finding => {
    const { check, message } = finding;
    const resource = shared(this.#resources, finding.resource) ?? finding.resource;
    const path = shared(this.#paths, finding.path);
    return {
      id: finding.id,
      check,
      status: finding.status,
      severity: finding.severity,
      resource,
      path,
      location: finding.location,
      message: known(this.#messages, message, message),
      evidence: shared(this.#evidence, finding.evidence),
      fix: shared(this.#fixes, finding.fix),
      controls: finding.controls,
    };
  };
}

/** The equal value that was met first. */
function shared<T extends object>(all: Map<string, T>, value: T | undefined): T | undefined {
  if (value === undefined) return undefined;
  let key: string;
  try {
    key = JSON.stringify(value);
  } catch {
    // It quotes an integer of 64 bits.
    return value;
  }
  return known(all, key, value);
}

function known<T>(all: Map<string, T>, key: string, value: T): T {
  const before = all.get(key);
  if (before !== undefined) return before;
  if (all.size >= remembered) all.clear();
  all.set(key, value);
  return value;
}
