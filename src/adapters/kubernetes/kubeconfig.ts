import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { unreadable } from "../files/read-text.ts";

/** One entry of a kubeconfig's lists, with the directory that its relative paths start from. */
interface Entry {
  readonly name: string;
  readonly content: JsonObject;
  readonly directory: string;
}

/** A kubeconfig, of one file or of several merged as kubectl merges them: of entries with one name the first stands. */
interface Kubeconfig {
  readonly currentContext: string;
  readonly contexts: readonly Entry[];
  readonly clusters: readonly Entry[];
  readonly users: readonly Entry[];
}

export interface ExecPlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly apiVersion: string;
  readonly interactive: boolean;
  readonly provideClusterInfo: boolean;
  readonly installHint: string;
}

/** Who we are to the API server. */
export interface Identity {
  readonly token?: string | undefined;
  /** Read again each minute: such tokens expire. */
  readonly tokenFile?: string | undefined;
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly exec?: ExecPlugin | undefined;
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[]; readonly uid: string } | undefined;
}

/** Everything that is needed to reach one cluster. */
export interface ClusterAccess {
  /** The kubeconfig context, or `in-cluster`. */
  readonly context: string;
  readonly server: string;
  /** PEM; undefined: the system's authorities. */
  readonly authority: string | undefined;
  readonly insecure: boolean;
  readonly serverName: string | undefined;
  readonly proxy: string | undefined;
  /** The context's namespace; `default` where it names none. */
  readonly namespace: string;
  readonly identity: Identity;
}

export interface KubeconfigOptions {
  /** A file; else `KUBECONFIG`, else `~/.kube/config`, else the pod's service account. */
  readonly kubeconfig?: string | undefined;
  /** The current context unless told otherwise. */
  readonly context?: string | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** The user's home directory. */
  readonly home: string;
}

/** How to reach the cluster of a context. */
export function clusterAccess(options: KubeconfigOptions): Loaded<ClusterAccess> {
  const files = kubeconfigFiles(options);
  if (files.length === 0) {
    const own = options.context === undefined ? inClusterAccess(options.env) : undefined;
    if (own !== undefined) return loaded(own);
    const message = "no kubeconfig: KUBECONFIG is not set, ~/.kube/config does not exist, and this is no pod";
    return failed({ code: "KUBECONFIG_MISSING", severity: "error", message });
  }
  const config = readKubeconfigs(files);
  if (!config.ok) return config;
  return accessOf(config.value, options.context ?? config.value.currentContext);
}

/** One context with what programs keep beside it: its `extensions`, by name. */
export interface NamedContext {
  readonly access: ClusterAccess;
  readonly extensions: ReadonlyMap<string, JsonValue>;
}

/** Every context of one file, in its order. */
export function allContexts(file: string): Loaded<readonly NamedContext[]> {
  const config = readKubeconfigs([file]);
  if (!config.ok) return config;
  const contexts: NamedContext[] = [];
  for (const { name, content } of config.value.contexts) {
    const access = accessOf(config.value, name);
    if (!access.ok) return access;
    const list = content["extensions"];
    const extensions = (isArray(list) ? list : []).map(
      (item) => [asString(member(item, "name")) ?? "", member(item, "extension") ?? null] as const,
    );
    contexts.push({ access: access.value, extensions: new Map(extensions) });
  }
  return loaded(contexts);
}

function kubeconfigFiles({ kubeconfig, env, home }: KubeconfigOptions): readonly string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  // Files of the list may be absent, but not all of them.
  if (listed.length > 0) return listed.some((path) => existsSync(path)) ? listed.filter((path) => existsSync(path)) : listed;
  const own = join(home, ".kube", "config");
  return existsSync(own) ? [own] : [];
}

function readKubeconfigs(files: readonly string[]): Loaded<Kubeconfig> {
  const merged = {
    currentContext: "",
    contexts: new Map<string, Entry>(),
    clusters: new Map<string, Entry>(),
    users: new Map<string, Entry>(),
  };
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      return invalid(`${file}: ${unreadable(file, error).message}`);
    }
    const { documents, diagnostics } = parseDocuments(text, file);
    const errors = diagnostics.filter((d) => d.severity === "error");
    if (errors.length > 0) return failed(...errors);
    const value = documents[0]?.value;
    const directory = dirname(resolve(file));
    merged.currentContext ||= asString(member(value, "current-context")) ?? "";
    collect(merged.contexts, member(value, "contexts"), "context", directory);
    collect(merged.clusters, member(value, "clusters"), "cluster", directory);
    collect(merged.users, member(value, "users"), "user", directory);
  }
  const { currentContext, contexts, clusters, users } = merged;
  return loaded({
    currentContext,
    contexts: [...contexts.values()],
    clusters: [...clusters.values()],
    users: [...users.values()],
  });
}

function collect(into: Map<string, Entry>, list: JsonValue | undefined, key: string, directory: string): void {
  for (const item of isArray(list) ? list : []) {
    const name = asString(member(item, "name"));
    const content = member(item, key);
    if (name !== undefined && !into.has(name)) into.set(name, { name, content: isObject(content) ? content : {}, directory });
  }
}

function accessOf(config: Kubeconfig, contextName: string): Loaded<ClusterAccess> {
  if (contextName === "") return invalid("the kubeconfig sets no current-context; name one with --context");
  const context = config.contexts.find((entry) => entry.name === contextName);
  if (context === undefined) {
    const known = config.contexts.map((entry) => entry.name).join(", ");
    return invalid(`the kubeconfig has no context "${contextName}"; it has: ${known === "" ? "none" : known}`);
  }
  const clusterName = asString(context.content["cluster"]) ?? "";
  const cluster = config.clusters.find((entry) => entry.name === clusterName);
  if (cluster === undefined) return invalid(`context "${contextName}" names the cluster "${clusterName}", which is not there`);
  const server = asString(cluster.content["server"]) ?? "";
  if (!URL.canParse(server)) return invalid(`the server "${server}" of cluster "${clusterName}" is no address`);
  const userName = asString(context.content["user"]) ?? "";
  const user = config.users.find((entry) => entry.name === userName);
  if (user === undefined && userName !== "")
    return invalid(`context "${contextName}" names the user "${userName}", who is not there`);
  try {
    return loaded({
      context: contextName,
      server,
      authority: pem(cluster, "certificate-authority"),
      insecure: cluster.content["insecure-skip-tls-verify"] === true,
      serverName: asString(cluster.content["tls-server-name"]),
      proxy: asString(cluster.content["proxy-url"]),
      namespace: asString(context.content["namespace"]) || "default",
      identity: user === undefined ? {} : identityOf(user),
    });
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}

/** PEM text of `<key>-data` in base64, or of the file that `<key>` names. Throws where the file cannot be read. */
function pem(entry: Entry, key: string): string | undefined {
  const data = asString(entry.content[`${key}-data`]);
  if (data !== undefined && data !== "") return Buffer.from(data, "base64").toString("utf8");
  const file = asString(entry.content[key]);
  return file === undefined || file === "" ? undefined : readFileSync(resolve(entry.directory, file), "utf8");
}

function identityOf(entry: Entry): Identity {
  const { content, directory } = entry;
  if (content["auth-provider"] !== undefined) {
    throw new Error(`user "${entry.name}" uses an auth-provider, which Kubernetes removed; use an exec plugin`);
  }
  const tokenFile = asString(content["tokenFile"]);
  const username = asString(content["username"]);
  const impersonated = asString(content["as"]);
  return {
    token: asString(content["token"]),
    tokenFile: tokenFile === undefined ? undefined : resolve(directory, tokenFile),
    basic: username === undefined ? undefined : { username, password: asString(content["password"]) ?? "" },
    certificate: pem(entry, "client-certificate"),
    key: pem(entry, "client-key"),
    exec: isObject(content["exec"]) ? execPlugin(content["exec"], directory) : undefined,
    impersonate:
      impersonated === undefined
        ? undefined
        : { user: impersonated, groups: strings(content["as-groups"]), uid: asString(content["as-uid"]) ?? "" },
  };
}

function execPlugin(exec: JsonObject, directory: string): ExecPlugin {
  const command = asString(exec["command"]) ?? "";
  const env = isArray(exec["env"]) ? exec["env"] : [];
  return {
    // Names are looked for on PATH, paths start from the kubeconfig's directory.
    command: /[\\/]/.test(command) ? resolve(directory, command) : command,
    args: strings(exec["args"]),
    env: Object.fromEntries(env.map((item) => [scalarText(member(item, "name")), scalarText(member(item, "value"))])),
    apiVersion: asString(exec["apiVersion"]) ?? "client.authentication.k8s.io/v1",
    interactive: exec["interactiveMode"] !== "Never",
    provideClusterInfo: exec["provideClusterInfo"] === true,
    installHint: asString(exec["installHint"]) ?? "",
  };
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isArray(value) ? value.map(scalarText) : [];
}

/** Where Kubernetes wants a string, it takes numbers and booleans as they are spelt in JSON. */
function scalarText(value: JsonValue | undefined): string {
  return value === undefined || value === null || typeof value === "object" ? "" : String(value);
}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

/** As a pod reaches its own cluster; undefined outside of pods. */
function inClusterAccess(env: KubeconfigOptions["env"]): ClusterAccess | undefined {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (host === undefined || port === undefined || !existsSync(`${serviceAccount}/token`)) return undefined;
  return {
    context: "in-cluster",
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    authority: readFileSync(`${serviceAccount}/ca.crt`, "utf8"),
    insecure: false,
    serverName: undefined,
    proxy: undefined,
    namespace: readFileSync(`${serviceAccount}/namespace`, "utf8").trim(),
    identity: { tokenFile: `${serviceAccount}/token` },
  };
}

function invalid(message: string): { readonly ok: false; readonly diagnostics: ReturnType<typeof failed>["diagnostics"] } {
  return failed({ code: "KUBECONFIG_INVALID", severity: "error", message });
}
