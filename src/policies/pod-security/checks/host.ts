import {
  type Check,
  containersOf,
  containerText,
  plural,
  quoted,
  revision,
  setterText,
  sorted,
  type Violation,
  valueTexts,
} from "../check.ts";
import type { Pod, SecurityContext } from "../pod.ts";

const namespaceFields = ["hostNetwork", "hostPID", "hostIPC"] as const;

export const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  title: "Namespaces of the host",
  revisions: [
    revision(0, (pod) =>
      namespaceFields.flatMap((field): readonly Violation[] =>
        pod[field] ? [{ path: ["spec", field], setter: "pod", value: true, remedy: { op: "remove" } }] : [],
      ),
    ),
  ],
  reason: () => "host namespaces",
  detail: (violations) => violations.map((v) => `${v.path.at(-1)}=true`).join(", "),
};

export const hostPorts: Check = {
  id: "hostPorts",
  level: "baseline",
  title: "Ports of the host",
  revisions: [
    revision(0, (pod) =>
      pod.containers.flatMap((container) =>
        container.ports
          .filter((port) => port.hostPort !== 0)
          .map((port): Violation => {
            const found = { path: port.path, setter: container, value: port.hostPort };
            return port.path.at(-1) === "hostPort" ? { ...found, remedy: { op: "remove" } } : found;
          }),
      ),
    ),
  ],
  reason: () => "hostPort",
  detail(violations) {
    const ports = sorted(valueTexts(violations));
    const uses = plural("uses", "use", containersOf(violations).length);
    return `${containerText(violations)} ${uses} ${plural("hostPort", "hostPorts", ports.length)} ${ports.join(", ")}`;
  },
};

export const hostProbes: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  title: "Hosts in probes and lifecycle handlers",
  revisions: [
    revision(34, (pod) =>
      pod.containers.flatMap((container) =>
        container.hosts.map(({ host, path }): Violation => ({ path, setter: container, value: host, remedy: { op: "remove" } })),
      ),
    ),
  ],
  reason: () => "probe or lifecycle host",
  detail(violations) {
    const names = sorted(containersOf(violations).map((c) => c.name));
    const hosts = sorted(valueTexts(violations));
    return [
      `${plural("container", "containers", names.length)} ${quoted(names)} ${plural("uses", "use", names.length)}`,
      `${plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.length)} ${quoted(hosts)}`,
    ].join(" ");
  },
};

function hostProcess(context: SecurityContext, setter: Violation["setter"]): readonly Violation[] {
  if (context.hostProcess !== true) return [];
  const path = [...context.path, "windowsOptions", "hostProcess"];
  return [{ path, setter, value: true, remedy: { op: "set", path, value: false } }];
}

export const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  title: "Windows host processes",
  revisions: [
    revision(0, (pod) => [
      ...hostProcess(pod.securityContext, "pod"),
      ...pod.containers.flatMap((c) => hostProcess(c.securityContext, c)),
    ]),
  ],
  reason: () => "hostProcess",
  detail: (violations) => `${setterText(violations)} must not set securityContext.windowsOptions.hostProcess=true`,
};

const sysctlSteps: readonly { readonly since: number; readonly names: readonly string[] }[] = [
  {
    since: 0,
    names: [
      "kernel.shm_rmid_forced",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.tcp_syncookies",
      "net.ipv4.ping_group_range",
      "net.ipv4.ip_unprivileged_port_start",
    ],
  },
  { since: 27, names: ["net.ipv4.ip_local_reserved_ports"] },
  {
    since: 29,
    names: [
      "net.ipv4.tcp_keepalive_time",
      "net.ipv4.tcp_fin_timeout",
      "net.ipv4.tcp_keepalive_intvl",
      "net.ipv4.tcp_keepalive_probes",
    ],
  },
  { since: 32, names: ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"] },
  { since: 37, names: ["net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"] },
];

function findSysctls(pod: Pod, allowed: ReadonlySet<string>): readonly Violation[] {
  return pod.securityContext.sysctls.flatMap((name, i): readonly Violation[] =>
    allowed.has(name) ? [] : [{ path: [...pod.securityContext.path, "sysctls", i, "name"], setter: "pod", value: name }],
  );
}

export const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  title: "Unsafe sysctls",
  revisions: sysctlSteps.map(({ since }) => {
    const allowed = new Set(sysctlSteps.filter((step) => step.since <= since).flatMap((step) => step.names));
    return revision(since, (pod) => findSysctls(pod, allowed));
  }),
  reason: () => "forbidden sysctls",
  detail: (violations) => valueTexts(violations).join(", "),
};
