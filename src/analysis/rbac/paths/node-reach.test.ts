import { expect, test } from "vitest";
import type { JsonObject } from "../../../core/json.ts";
import { nodeReach } from "./node-reach.ts";

const mounting = (path: string, mounted = true): JsonObject => ({
  containers: [{ name: "c", volumeMounts: mounted ? [{ name: "v", mountPath: "/x" }] : [] }],
  volumes: [{ name: "v", hostPath: { path } }],
});
const having = (securityContext: JsonObject, spec: JsonObject = {}): JsonObject => ({
  ...spec,
  containers: [{ name: "c", securityContext }],
});
const adding = (...add: readonly string[]): JsonObject => ({ capabilities: { add } });

test.each<[string, JsonObject, string | undefined]>([
  ["nothing", { containers: [{ name: "c" }] }, undefined],
  ["privileged", having({ privileged: true }), "is privileged"],
  ["privileged at the start", { initContainers: [{ name: "i", securityContext: { privileged: true } }] }, "is privileged"],
  ["a Windows host process", having({ windowsOptions: { hostProcess: true } }), "is a host process"],
  ["a capability", having(adding("NET_BIND_SERVICE", "SYS_ADMIN")), "has the capability SYS_ADMIN"],
  ["a capability in the kernel's words", having(adding("CAP_SYS_MODULE")), "has the capability SYS_MODULE"],
  ["harmless capabilities", having(adding("NET_ADMIN", "NET_RAW")), undefined],
  ["tracing its own processes", having(adding("SYS_PTRACE")), undefined],
  ["tracing the node's", having(adding("SYS_PTRACE"), { hostPID: true }), "has the capability SYS_PTRACE"],
  ["the node's processes", having({}, { hostPID: true }), "sees the node's processes"],
  ["the node's network", having({}, { hostNetwork: true }), undefined],
  ["the root", mounting("/"), "mounts / of the node"],
  ["what holds a sensitive directory", mounting("/var/lib"), "mounts /var/lib of the node"],
  ["what is in one", mounting("/var/lib/kubelet/pods/x/"), "mounts /var/lib/kubelet/pods/x/ of the node"],
  ["the runtime's socket", mounting("/var/run/docker.sock"), "mounts /var/run/docker.sock of the node"],
  ["logs, by whose links files are read", mounting("/var/log/"), "mounts /var/log/ of the node"],
  ["a neighbour by name", mounting("/etc/kubernetes-tools"), undefined],
  ["the time zone", mounting("/etc/localtime"), undefined],
  ["modules", mounting("/lib/modules"), undefined],
  ["device plug-ins", mounting("/var/lib/kubelet/device-plugins"), undefined],
  ["a volume that nobody mounts", mounting("/", false), undefined],
])("%s", (_, spec, want) => expect(nodeReach(spec)).toBe(want));
