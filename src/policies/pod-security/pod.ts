import { isObject, type JsonObject, type JsonPath, type JsonValue } from "../../core/json.ts";
import { FieldReader, type TypeMismatch } from "./field-reader.ts";

/** A security context, of a pod or of a container: only what the Pod Security Standards look at. */
export interface SecurityContext {
  readonly path: JsonPath;
  readonly present: boolean;
  readonly privileged: boolean | undefined;
  readonly allowPrivilegeEscalation: boolean | undefined;
  readonly runAsNonRoot: boolean | undefined;
  readonly runAsUser: number | bigint | undefined;
  readonly procMount: string | undefined;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] } | undefined;
  readonly seLinux: { readonly type: string; readonly user: string; readonly role: string } | undefined;
  /** Types of the profiles; empty where a profile is there without a type. */
  readonly seccomp: string | undefined;
  readonly appArmor: string | undefined;
  readonly hostProcess: boolean | undefined;
  readonly sysctls: readonly string[];
}

interface Port {
  /** 0 where none is asked for. */
  readonly hostPort: number;
  readonly containerPort: number;
  /** Of the field that asks for the host port. */
  readonly path: JsonPath;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly path: JsonPath;
  readonly securityContext: SecurityContext;
  readonly ports: readonly Port[];
  /** Hosts named in probes and lifecycle handlers. */
  readonly hosts: readonly { readonly host: string; readonly path: JsonPath }[];
}

export interface Volume {
  readonly name: string;
  readonly path: JsonPath;
  /** Names of the sources that are set, in the API's order. */
  readonly sources: readonly string[];
  /** Path on the node, of a hostPath volume. */
  readonly hostPath: string;
}

/** A pod, reduced to what the Pod Security Standards look at. Paths start with `spec` or `metadata`. */
export interface Pod {
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly hostUsers: boolean | undefined;
  readonly os: string;
  readonly runtimeClassName: string;
  readonly securityContext: SecurityContext;
  readonly volumes: readonly Volume[];
  /** Init, regular and ephemeral containers, in this order. */
  readonly containers: readonly Container[];
  readonly annotations: { readonly [key: string]: string };
  /** Fields that the API server could not decode; nothing can be said about such a pod. */
  readonly mismatches: readonly TypeMismatch[];
}

/** Volume sources that the API server knows. */
const volumeSources = new Set([
  ...["hostPath", "emptyDir", "gcePersistentDisk", "awsElasticBlockStore", "gitRepo", "secret", "nfs", "iscsi", "glusterfs"],
  ...["persistentVolumeClaim", "rbd", "flexVolume", "cinder", "cephfs", "flocker", "downwardAPI", "fc", "azureFile", "configMap"],
  ...["vsphereVolume", "quobyte", "azureDisk", "photonPersistentDisk", "projected", "portworxVolume", "scaleIO", "storageos"],
  ...["csi", "ephemeral", "image"],
]);

const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;

/** The pod that a Pod or a pod template describes. */
export function podOf(template: JsonObject): Pod {
  const metadata = template["metadata"];
  const spec = template["spec"];
  return readPod(isObject(metadata) ? metadata : {}, isObject(spec) ? spec : {});
}

/** Reads a pod; fields of a wrong type are noted and count as absent. */
export function readPod(metadata: JsonObject, spec: JsonObject): Pod {
  const mismatches: TypeMismatch[] = [];
  const reader = new FieldReader(spec, ["spec"], mismatches);
  return {
    hostNetwork: reader.boolean("hostNetwork") ?? false,
    hostPID: reader.boolean("hostPID") ?? false,
    hostIPC: reader.boolean("hostIPC") ?? false,
    hostUsers: reader.boolean("hostUsers"),
    os: reader.optional("os")?.string("name") ?? "",
    runtimeClassName: reader.string("runtimeClassName") ?? "",
    securityContext: readSecurityContext(reader.object("securityContext")),
    volumes: reader.objects("volumes").map(readVolume),
    containers: containerLists.flatMap((list) => reader.objects(list).map(readContainer)),
    annotations: readAnnotations(metadata["annotations"]),
    mismatches,
  };
}

function readAnnotations(value: JsonValue | undefined): { readonly [key: string]: string } {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((e): e is [string, string] => typeof e[1] === "string"));
}

function readVolume(reader: FieldReader): Volume {
  return {
    name: reader.string("name") ?? "",
    path: reader.path,
    sources: reader.set(volumeSources),
    hostPath: reader.optional("hostPath")?.string("path") ?? "",
  };
}

function readContainer(reader: FieldReader): Container {
  return {
    name: reader.string("name") ?? "",
    image: reader.text("image"),
    path: reader.path,
    securityContext: readSecurityContext(reader.object("securityContext")),
    ports: reader.objects("ports").map(readPort),
    hosts: readHosts(reader),
  };
}

function readPort(port: FieldReader): Port {
  return {
    hostPort: Number(port.integer("hostPort") ?? 0),
    containerPort: Number(port.integer("containerPort") ?? 0),
    path: [...port.path, "hostPort"],
  };
}

const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
const hooks = ["postStart", "preStop"] as const;
const actions = ["httpGet", "tcpSocket"] as const;

function readHosts(container: FieldReader): Container["hosts"] {
  const probing = probes.map((key) => container.optional(key));
  const lifecycle = container.optional("lifecycle");
  const handlers = [...probing, ...hooks.map((key) => lifecycle?.optional(key))];
  const found: { readonly host: string; readonly path: JsonPath }[] = [];
  for (const handler of handlers) {
    if (handler === undefined) continue;
    for (const action of actions) {
      const target = handler.optional(action);
      const host = target?.string("host") ?? "";
      if (target !== undefined && host !== "") found.push({ host, path: [...target.path, "host"] });
    }
  }
  return found;
}

/** What a security context that is not there says. */
const nothingSet: Omit<SecurityContext, "path"> = {
  present: false,
  privileged: undefined,
  allowPrivilegeEscalation: undefined,
  runAsNonRoot: undefined,
  runAsUser: undefined,
  procMount: undefined,
  capabilities: undefined,
  seLinux: undefined,
  seccomp: undefined,
  appArmor: undefined,
  hostProcess: undefined,
  sysctls: [],
};

function readSecurityContext(reader: FieldReader): SecurityContext {
  if (!reader.present) return { path: reader.path, ...nothingSet };
  const capabilities = reader.optional("capabilities");
  const seLinux = reader.optional("seLinuxOptions");
  return {
    path: reader.path,
    present: reader.present,
    privileged: reader.boolean("privileged"),
    allowPrivilegeEscalation: reader.boolean("allowPrivilegeEscalation"),
    runAsNonRoot: reader.boolean("runAsNonRoot"),
    runAsUser: reader.integer("runAsUser"),
    procMount: reader.string("procMount"),
    capabilities: capabilities && { add: capabilities.strings("add"), drop: capabilities.strings("drop") },
    seLinux: seLinux && {
      type: seLinux.string("type") ?? "",
      user: seLinux.string("user") ?? "",
      role: seLinux.string("role") ?? "",
    },
    seccomp: profileType(reader.optional("seccompProfile")),
    appArmor: profileType(reader.optional("appArmorProfile")),
    hostProcess: reader.optional("windowsOptions")?.boolean("hostProcess"),
    sysctls: reader.objects("sysctls").map((sysctl) => sysctl.string("name") ?? ""),
  };
}

function profileType(profile: FieldReader | undefined): string | undefined {
  return profile && (profile.string("type") ?? "");
}

/**
 * What the API server fills in before Pod Security sees an object: a volume without a source is an emptyDir, and the
 * ports of a Pod (not of a template) on the host's network are host ports.
 */
export function withDefaults(pod: Pod, isPod: boolean): Pod {
  const volumes = pod.volumes.map((volume) => (volume.sources.length === 0 ? { ...volume, sources: ["emptyDir"] } : volume));
  return { ...pod, volumes, containers: isPod && pod.hostNetwork ? pod.containers.map(withHostPorts) : pod.containers };
}

function withHostPorts(container: Container): Container {
  const ports = container.ports.map((port) =>
    port.hostPort === 0 ? { ...port, hostPort: port.containerPort, path: [...port.path.slice(0, -1), "containerPort"] } : port,
  );
  return container.path[1] === "ephemeralContainers" ? container : { ...container, ports };
}
