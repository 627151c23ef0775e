import { type Check, containerText, revision, setterText, unlessUserNamespace, type Violation } from "../check.ts";
import type { Pod, SecurityContext } from "../pod.ts";

/** What says false outright comes first; then what is not said. */
function findRoot(pod: Pod): readonly Violation[] {
  const path = [...pod.securityContext.path, "runAsNonRoot"];
  const podSays = pod.securityContext.runAsNonRoot;
  const explicit: Violation[] = [];
  const implicit: Violation[] = [];
  if (podSays === false) explicit.push({ path, setter: "pod", value: false, remedy: { op: "set", path, value: true } });
  for (const setter of pod.containers) {
    const says = setter.securityContext.runAsNonRoot;
    if (says === true) continue;
    const own = [...setter.securityContext.path, "runAsNonRoot"];
    if (says === false) explicit.push({ path: own, setter, value: false, remedy: { op: "set", path: own, value: true } });
    else if (podSays !== true) {
      implicit.push({ path: own, setter, value: undefined, remedy: { op: "set", path, value: true } });
    }
  }
  return [...explicit, ...implicit];
}

export const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  title: "Running as root",
  revisions: [revision(0, findRoot), revision(35, unlessUserNamespace(findRoot))],
  reason: () => "runAsNonRoot != true",
  detail(violations) {
    const explicit = violations.filter((v) => v.value !== undefined);
    if (explicit.length > 0) return `${setterText(explicit)} must not set securityContext.runAsNonRoot=false`;
    return `pod or ${containerText(violations)} must set securityContext.runAsNonRoot=true`;
  },
};

function userZero({ path, runAsUser }: SecurityContext, setter: Violation["setter"]): readonly Violation[] {
  return runAsUser === 0 || runAsUser === 0n ? [{ path: [...path, "runAsUser"], setter, value: 0 }] : [];
}

function findUserZero(pod: Pod): readonly Violation[] {
  return [...userZero(pod.securityContext, "pod"), ...pod.containers.flatMap((c) => userZero(c.securityContext, c))];
}

export const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  title: "Running as user 0",
  revisions: [revision(23, findUserZero), revision(35, unlessUserNamespace(findUserZero))],
  reason: () => "runAsUser=0",
  detail: (violations) => `${setterText(violations)} must not set runAsUser=0`,
};
