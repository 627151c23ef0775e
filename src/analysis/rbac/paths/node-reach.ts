import { isArray, isObject, type JsonObject, type JsonValue, member } from "../../../core/json.ts";

/** Directories of a node whose reading or writing gives the node, or the tokens of its pods: they, and what holds them. */
const sensitive = [
  "/etc/kubernetes",
  "/etc/cron.d",
  "/etc/crontab",
  "/etc/shadow",
  "/etc/ssh",
  "/etc/systemd",
  "/etc/cni",
  "/opt/cni",
  "/proc",
  "/root",
  "/home",
  "/usr/bin",
  "/usr/local/bin",
  "/var/lib/containerd",
  "/var/lib/docker",
  "/var/lib/etcd",
  "/var/lib/kubelet/pki",
  "/var/lib/kubelet/pods",
  "/var/lib/rancher",
  "/var/log",
  "/run/containerd",
  "/run/docker.sock",
  "/run/crio",
  "/run/cri-dockerd.sock",
];

/** With these a process leaves its container: it mounts, loads modules, or opens any file of the node. */
const breakingCapabilities = new Set(["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH"]);

/** How a pod of this spec gives the node to whoever is in it, in words that follow its name; undefined: it does not. */
export function nodeReach(spec: JsonObject): string | undefined {
  const containers = ["initContainers", "containers"].flatMap((list) => objectsOf(spec[list]));
  for (const container of containers) {
    const context = member(container, "securityContext");
    if (member(context, "privileged") === true) return "is privileged";
    if (member(member(context, "windowsOptions"), "hostProcess") === true) return "is a host process";
    const added = textsOf(member(member(context, "capabilities"), "add")).map((name) => name.replace(/^CAP_/, ""));
    const capability = added.find(
      (name) => breakingCapabilities.has(name) || (name === "SYS_PTRACE" && spec["hostPID"] === true),
    );
    if (capability !== undefined) return `has the capability ${capability}`;
  }
  // Processes of other containers of the same user open their files, tokens included.
  if (spec["hostPID"] === true) return "sees the node's processes";
  const mounted = new Set(containers.flatMap((c) => objectsOf(c["volumeMounts"]).map((mount) => mount["name"])));
  const paths = objectsOf(spec["volumes"]).flatMap((volume) =>
    mounted.has(volume["name"] ?? "") ? (textsOf([member(member(volume, "hostPath"), "path") ?? null])[0] ?? []) : [],
  );
  const path = paths.find(isSensitive);
  return path === undefined ? undefined : `mounts ${path} of the node`;
}

function isSensitive(path: string): boolean {
  // On every distribution that runs kubelets /var/run is /run.
  const place = `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`.replace(/^\/var\/run(?=\/|$)/, "/run");
  return place === "/" || sensitive.some((s) => s === place || s.startsWith(`${place}/`) || place.startsWith(`${s}/`));
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return isArray(value) ? value.filter(isObject) : [];
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
