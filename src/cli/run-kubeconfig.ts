import { mkdir, readFile, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { parseDocuments } from "../core/yaml/parse-documents.ts";
import { writeYaml } from "../report/yaml.ts";
import { type CommandContext, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { writePrivate } from "./logins.ts";
import { type ServerFlags, wantedServer } from "./run-login.ts";
import { askConnection } from "./token-requests.ts";

export interface KubeconfigFlags extends ServerFlags {
  readonly cluster?: string;
  readonly kubeconfig?: string;
  readonly print?: boolean;
  readonly switch: boolean;
}

type Entries = { readonly [list in "clusters" | "users" | "contexts"]: readonly (JsonObject & { readonly name: string })[] };

/** Contexts `castellan-<cluster>` with the gateway's own authority and our credential plugin. */
export async function runKubeconfig(flags: KubeconfigFlags, { io }: CommandContext): Promise<void> {
  const server = await wantedServer(flags, io);
  const { gateway, certificateAuthority, clusters } = await askConnection(server);
  if (gateway === undefined) throw new UsageError(`${server.url} has no gateway to clusters: start it with one`);
  if (!gateway.startsWith("https:"))
    throw new UsageError(`the gateway ${gateway} does not speak TLS: kubectl would send tokens in clear text`);
  const wanted = clusters.filter(({ name }) => flags.cluster === undefined || name === flags.cluster);
  const [first] = wanted;
  if (first === undefined) {
    throw new UsageError(
      `${server.url} has no cluster ${flags.cluster ?? ""}; it has: ${clusters.map(({ name }) => name).join(", ")}`,
    );
  }
  const user = `castellan-${new URL(server.url).host}`;
  const entries: Entries = {
    clusters: wanted.map(({ name, path }) => ({
      name: `castellan-${name}`,
      cluster: {
        server: `${gateway.replace(/\/$/, "")}${path === "/" ? "" : path}`,
        ...(certificateAuthority && { "certificate-authority-data": Buffer.from(certificateAuthority).toString("base64") }),
      },
    })),
    users: [{ name: user, user: { exec: plugin(server.url) } }],
    contexts: wanted.map(({ name }) => ({ name: `castellan-${name}`, context: { cluster: `castellan-${name}`, user } })),
  };
  const ours = `castellan-${first.name}`;
  if (flags.print === true) return io.out(writeYaml(merged({}, entries, ours)));
  const named = fileOf(flags, io);
  // A link to a kubeconfig stays a link.
  const file = await realpath(named).catch(() => named);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const before = await readConfig(file);
  const current = asString(member(before, "current-context")) ?? "";
  await writePrivate(file, writeYaml(merged(before, entries, flags.switch ? ours : current)));
  const names = entries.contexts.map(({ name }) => name).join(", ");
  io.err(`castellan: ${file} has ${names}; kubectl logs in there with castellan kube-credential\n`);
  for (const line of contextLines(current, ours, flags.switch)) io.err(`castellan: ${line}\n`);
}

/** Where kubectl goes from now on, and the way back. */
function contextLines(before: string, ours: string, isSwitched: boolean): readonly string[] {
  if (!isSwitched) return [`the current context is ${before === "" ? "none" : before} as before; use kubectl --context ${ours}`];
  if (before === ours) return [`the current context is ${ours}`];
  if (before === "") return [`the current context is now ${ours}; there was none`];
  return [`the current context is now ${ours}; back with: kubectl config use-context ${before}`];
}

function plugin(url: string): JsonObject {
  return {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "castellan",
    args: ["kube-credential", "--server", url],
    interactiveMode: "IfAvailable",
    provideClusterInfo: false,
    installHint: "Install castellan and put it on PATH: npm install --global castellan",
  };
}

function fileOf({ kubeconfig }: KubeconfigFlags, { env }: Io): string {
  const [listed] = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  return kubeconfig ?? listed ?? join(env["HOME"] ?? homedir(), ".kube", "config");
}

async function readConfig(file: string): Promise<JsonObject> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new UsageError(`${file} cannot be read`);
  });
  if (text === undefined || text.trim() === "") return {};
  const { documents, diagnostics } = parseDocuments(text, file);
  const [document, second] = documents;
  const value: JsonValue | undefined = document?.value;
  if (diagnostics.some(({ severity }) => severity === "error") || second !== undefined || !isObject(value))
    throw new UsageError(`${file} is no kubeconfig; it was left as it is`);
  return value;
}

/** Entries of ours take the place of those with the same name; all else stays, though comments do not. */
function merged(config: JsonObject, entries: Entries, current: string): JsonObject {
  const lists = Object.entries(entries).map(([list, added]) => {
    const names = new Set(added.map(({ name }) => name));
    const known = member(config, list);
    const others = (isArray(known) ? known : []).filter((item) => !names.has(asString(member(item, "name")) ?? ""));
    return [list, [...others, ...added]] as const;
  });
  return {
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    ...config,
    ...Object.fromEntries(lists),
    ...(current === "" ? {} : { "current-context": current }),
  };
}
