import type { Check, CheckId, CheckRevision, Violation } from "./check.ts";
import { hostNamespaces, hostPorts, hostProbes, sysctls, windowsHostProcess } from "./checks/host.ts";
import {
  allowPrivilegeEscalation,
  capabilitiesBaseline,
  capabilitiesRestricted,
  privileged,
  procMount,
  procMountRestricted,
} from "./checks/privilege.ts";
import { appArmorProfile, seccompBaseline, seccompRestricted, seLinuxOptions } from "./checks/profiles.ts";
import { runAsNonRoot, runAsUser } from "./checks/users.ts";
import { hostPathVolumes, restrictedVolumes } from "./checks/volumes.ts";
import type { Pod } from "./pod.ts";
import type { LevelVersion, Version } from "./versions.ts";

/** All checks: baseline first, each level by id, in which order the API server lists them. */
export const checks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompRestricted,
];

export interface ActiveCheck {
  readonly check: Check;
  readonly revision: CheckRevision;
}

/** The revision of a check that holds in a version; undefined before there was one. */
export function revisionAt(check: Check, version: Version): CheckRevision | undefined {
  return check.revisions.findLast((revision) => version === "latest" || revision.since <= version);
}

const active = new Map<string, readonly ActiveCheck[]>();

/**
 * The checks of a level and version. Restricted ones replace those baseline checks that they override. Versions newer
 * than the newest known revision are the latest.
 */
export function activeChecks({ level, version }: LevelVersion): readonly ActiveCheck[] {
  const key = `${level}:${version}`;
  let found = active.get(key);
  if (found === undefined) {
    found = select({ level, version });
    active.set(key, found);
  }
  return found;
}

function select({ level, version }: LevelVersion): readonly ActiveCheck[] {
  if (level === "privileged") return [];
  const all = checks.flatMap((check): readonly ActiveCheck[] => {
    const revision = level === "baseline" && check.level === "restricted" ? undefined : revisionAt(check, version);
    return revision === undefined ? [] : [{ check, revision }];
  });
  const overridden = new Set<CheckId>(all.flatMap(({ revision }) => revision.overrides));
  return all.filter(({ check }) => !overridden.has(check.id));
}

/** A check that a pod does not pass. */
export interface Failure {
  readonly check: Check;
  readonly violations: readonly Violation[];
}

/** The checks of a level and version that a pod does not pass, in the API server's order. */
export function evaluatePod(levelVersion: LevelVersion, pod: Pod): readonly Failure[] {
  return activeChecks(levelVersion).flatMap(({ check, revision }): readonly Failure[] => {
    const violations = revision.find(pod);
    return violations.length === 0 ? [] : [{ check, violations }];
  });
}

/** `privileged (container "a" must not set securityContext.privileged=true)`. */
export function failureText({ check, violations }: Failure): string {
  const detail = check.detail(violations);
  return detail === "" ? check.reason(violations) : `${check.reason(violations)} (${detail})`;
}
