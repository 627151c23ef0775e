import { auditRbac } from "../../../src/analysis/rbac/audit/audit.ts";
import { describeObject, describeSubject } from "../../../src/analysis/rbac/describe.ts";
import { Identities } from "../../../src/analysis/rbac/identities.ts";
import { type DescribedPath, escalationPaths, parsePlace } from "../../../src/analysis/rbac/paths/paths.ts";
import type { RbacWorld } from "../../../src/analysis/rbac/world.ts";
import type { Finding } from "../../../src/core/finding.ts";
import { isArray } from "../../../src/core/json.ts";
import { nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";

export type Target = "cluster-admin" | "secrets" | "node";

/** What the audit and the paths say of one world, by subject (`ServiceAccount ns/name`, `User name`). */
export class Shown {
  readonly #world: RbacWorld;
  readonly #findings: readonly { readonly check: string; readonly rule: string; readonly subjects: readonly string[] }[];
  readonly #paths = new Map<Target, { readonly already: readonly string[]; readonly paths: readonly DescribedPath[] }>();

  constructor(world: RbacWorld) {
    this.#world = world;
    const subjects = new Map(
      [...world.index.bindings()].map((b) => [describeObject(b), b.subjects.map((s) => describeSubject(s, b.namespace))]),
    );
    const subjectsOf = (finding: Finding): readonly string[] => {
      const { resource, evidence } = finding;
      const bindings = evidence?.["bindings"];
      const own = resource.namespace === "" ? resource.name : `${resource.namespace}/${resource.name}`;
      const names = [`${resource.kind} ${own}`, ...(isArray(bindings) ? bindings.map(String) : [])];
      return [...names, ...names.flatMap((name) => subjects.get(name) ?? [])];
    };
    this.#findings = auditRbac(world).map((f) => ({
      check: f.check.policy.replace("rbac/", ""),
      rule: f.check.rule,
      subjects: subjectsOf(f),
    }));
  }

  /** Whether the audit tells one of the checks of a subject; of anybody where none is named. */
  audits(checks: readonly string[], subject: string | undefined): boolean {
    return this.#findings.some(
      (f) =>
        (checks.includes(f.check) || checks.includes(`${f.check}/${f.rule}`)) &&
        (subject === undefined || f.subjects.includes(subject)),
    );
  }

  /** The ways of a subject, or of everybody, to a target; an administrator's is empty. */
  waysTo(target: Target, subject: string | undefined): readonly (readonly string[])[] {
    const known = this.#paths.get(target);
    const found = known ?? escalationPaths(this.#world, new Identities(), { from: undefined, to: parsePlace(target) });
    this.#paths.set(target, found);
    return [
      ...found.already.filter((name) => subject === undefined || name === subject).map(() => []),
      ...found.paths
        .filter((path) => subject === undefined || path.from === subject)
        .map((path) => path.hops.flatMap((hop) => hop.techniques)),
    ];
  }

  /** Subjects other than administrators that reach a target. */
  whoReaches(target: Target): readonly string[] {
    this.waysTo("cluster-admin", undefined);
    this.waysTo(target, undefined);
    const administrators = this.#paths.get("cluster-admin")?.already ?? [];
    const reaching = this.#paths.get(target)?.paths.map((p) => p.from) ?? [];
    return [...new Set(reaching.filter((subject) => !administrators.includes(subject)))];
  }
}

export function podNames(world: RbacWorld): readonly string[] {
  return world.pods.map((pod) => pod.name);
}

export function accountNames(world: RbacWorld): readonly string[] {
  return [...world.serviceAccounts.values()].map(({ document }) => `${namespaceOf(document.value)}/${nameOf(document.value)}`);
}
