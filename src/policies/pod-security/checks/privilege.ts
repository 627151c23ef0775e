import {
  type Check,
  containerText,
  perContainer,
  quoted,
  revision,
  sorted,
  unlessUserNamespace,
  unlessWindows,
  type Violation,
  valueTexts,
} from "../check.ts";
import type { Pod } from "../pod.ts";

export const privileged: Check = {
  id: "privileged",
  level: "baseline",
  title: "Privileged containers",
  revisions: [
    revision(0, (pod) =>
      perContainer(pod, ({ securityContext: { path, privileged } }) => {
        if (privileged !== true) return undefined;
        const field = [...path, "privileged"];
        return { path: field, value: true, remedy: { op: "set", path: field, value: false } };
      }),
    ),
  ],
  reason: () => "privileged",
  detail: (violations) => `${containerText(violations)} must not set securityContext.privileged=true`,
};

function findPrivilegeEscalation(pod: Pod): readonly Violation[] {
  return perContainer(pod, ({ securityContext: { path, allowPrivilegeEscalation } }) => {
    if (allowPrivilegeEscalation === false) return undefined;
    const field = [...path, "allowPrivilegeEscalation"];
    return { path: field, value: allowPrivilegeEscalation, remedy: { op: "set", path: field, value: false } };
  });
}

export const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  title: "Privilege escalation",
  revisions: [revision(8, findPrivilegeEscalation), revision(25, unlessWindows(findPrivilegeEscalation))],
  reason: () => "allowPrivilegeEscalation != false",
  detail: (violations) => `${containerText(violations)} must set securityContext.allowPrivilegeEscalation=false`,
};

const defaultCapabilities: ReadonlySet<string> = new Set([
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"],
  ...["SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
]);
const bindOnly: ReadonlySet<string> = new Set(["NET_BIND_SERVICE"]);

function findAdded(pod: Pod, allowed: ReadonlySet<string>): readonly Violation[] {
  return perContainer(pod, ({ securityContext: { path, capabilities } }) => {
    if (capabilities === undefined || capabilities.add.every((name) => allowed.has(name))) return undefined;
    const forbidden = capabilities.add.filter((name) => !allowed.has(name));
    const field = [...path, "capabilities", "add"];
    const kept = capabilities.add.filter((name) => allowed.has(name));
    return { path: field, value: sorted(forbidden), remedy: { op: "set", path: field, value: kept } };
  });
}

function addedText(violations: readonly Violation[]): string {
  return `${containerText(violations)} must not include ${quoted(sorted(valueTexts(violations)))} in securityContext.capabilities.add`;
}

export const capabilitiesBaseline: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  title: "Capabilities beyond the default set",
  revisions: [revision(0, (pod) => findAdded(pod, defaultCapabilities))],
  reason: () => "non-default capabilities",
  detail: addedText,
};

function findUnrestricted(pod: Pod): readonly Violation[] {
  const notDropped = perContainer(pod, ({ securityContext: { path, capabilities } }) => {
    if (capabilities?.drop.includes("ALL") === true) return undefined;
    const field = [...path, "capabilities", "drop"];
    const drop = capabilities?.drop ?? [];
    return {
      path: field,
      value: drop.length === 0 ? undefined : sorted(drop),
      remedy: { op: "set", path: field, value: ["ALL"] },
    };
  });
  return [...notDropped, ...findAdded(pod, bindOnly)];
}

export const capabilitiesRestricted: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  title: "Capabilities that are not dropped",
  revisions: [
    revision(22, findUnrestricted, "capabilities_baseline"),
    revision(25, unlessWindows(findUnrestricted), "capabilities_baseline"),
  ],
  reason: () => "unrestricted capabilities",
  detail(violations) {
    const { dropped = [], added = [] } = Object.groupBy(violations, (v) => (v.path.at(-1) === "drop" ? "dropped" : "added"));
    return [
      ...(dropped.length > 0 ? [`${containerText(dropped)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(added.length > 0 ? [addedText(added)] : []),
    ].join("; ");
  },
};

function findProcMount(pod: Pod): readonly Violation[] {
  return perContainer(pod, ({ securityContext: { path, procMount } }) =>
    procMount === undefined || procMount === "Default"
      ? undefined
      : { path: [...path, "procMount"], value: procMount, remedy: { op: "remove" } },
  );
}

const procMountTexts = {
  reason: () => "procMount",
  detail: (violations: readonly Violation[]) =>
    `${containerText(violations)} must not set securityContext.procMount to ${quoted(sorted(valueTexts(violations)))}`,
};

export const procMount: Check = {
  id: "procMount",
  level: "baseline",
  title: "Unmasked /proc",
  revisions: [revision(0, findProcMount), revision(35, unlessUserNamespace(findProcMount))],
  ...procMountTexts,
};

export const procMountRestricted: Check = {
  id: "procMount_restricted",
  level: "restricted",
  title: "Unmasked /proc, in a user namespace too",
  revisions: [revision(35, findProcMount, "procMount")],
  ...procMountTexts,
};
