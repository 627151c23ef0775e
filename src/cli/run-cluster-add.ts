import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverManifests } from "../adapters/files/server-manifests.ts";
import { ApiError, connect } from "../adapters/kubernetes/client.ts";
import { type ClusterAccess, clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import { clusterName, type RegisteredCluster, unsafeWay } from "../adapters/kubernetes/registered-clusters.ts";
import { readToken } from "../adapters/kubernetes/token-file.ts";
import { type KubernetesObject, nameOf } from "../core/kubernetes.ts";
import { writeYaml } from "../report/yaml.ts";
import { type AccountChange, accountChanges, makeAccountChange, requestToken } from "../services/registration/account-changes.ts";
import { accountObjects } from "../services/registration/account-objects.ts";
import { type ClusterFileFlags, clustersFile, clustersToChange, writeRegistered } from "./cluster-registry.ts";
import { type ClusterState, clusterState, stateText } from "./cluster-state.ts";
import { type CommandContext, found, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";

export interface AddFlags extends ClusterFileFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly tokenDays: number;
  readonly webhook: boolean;
  readonly server?: string;
  readonly certificateAuthority?: string;
  readonly tokenFile?: string;
  readonly yes?: boolean;
}

const daySeconds = 86_400;

export async function runAdd(name: string, flags: AddFlags, context: CommandContext): Promise<void> {
  if (!clusterName.test(name)) throw new UsageError(`"${name}" is no name: letters, digits, ".", "_" and "-", 63 at most`);
  const clusters = clustersToChange(flags);
  const before = clusters.find((one) => one.name === name);
  const isByToken = flags.server !== undefined;
  if (isByToken === (flags.context !== undefined))
    throw new UsageError("name the cluster by --context, or by --server, --certificate-authority and --token-file");
  const wanted = isByToken ? byToken(name, flags) : byContext(flags);
  if (before !== undefined && before.access.server !== wanted.server)
    throw new UsageError(`${name} is registered already, as ${before.access.server}: castellan cluster remove ${name}`);
  const account = isByToken ? undefined : await madeAccount(wanted, flags, name, context);
  if (!isByToken && account === undefined) return;
  const { authority, server, serverName, proxy } = wanted;
  const cluster: RegisteredCluster = {
    name,
    access: {
      context: name,
      server,
      authority,
      insecure: false,
      serverName,
      proxy,
      namespace: isByToken ? "default" : flags.namespace,
      identity: account === undefined ? { tokenFile: wanted.identity.tokenFile } : { token: account.token },
    },
    webhook: flags.webhook,
    account: account && { namespace: flags.namespace, context: wanted.context },
  };
  const state = await settledState(cluster, context);
  // What was made there is kept in mind all the same: its token cannot be had again.
  if (!state.reached && account === undefined)
    throw new UsageError(`${server} does not let us in: ${state.reason}; nothing was registered`);
  // The order stays: some things are about the first cluster.
  const isNew = before === undefined;
  await writeRegistered(flags, isNew ? [...clusters, cluster] : clusters.map((one) => (one === before ? cluster : one)));
  const taken = isNew ? "governs it when it is started again" : "takes the new token within a minute";
  context.io.out(`${stateText(state)}\nkept in ${clustersFile(flags)}; a running server ${taken}\n`);
  if (!state.reached) context.exit(exitCodes.incomplete);
  else if (state.missingRights.length > 0) context.exit(exitCodes.findings);
}

const settlingTries = 5;
const settlingMilliseconds = 500;

/** The API server knows of new bindings a moment after they are stored. */
async function settledState(cluster: RegisteredCluster, context: CommandContext): Promise<ClusterState> {
  for (let tries = 1; ; tries++) {
    const state = await clusterState(cluster, cluster.access, context);
    const isSettled = cluster.account === undefined || (state.reached && state.missingRights.length === 0);
    if (isSettled || tries === settlingTries) return state;
    await sleep(settlingMilliseconds);
  }
}

type SafeAccess = ClusterAccess & { readonly authority: string };

/** Throws `UsageError` where the token could be taken on the way. */
function safe(access: ClusterAccess, what: string): SafeAccess {
  const unsafe = unsafeWay(access);
  if (unsafe !== undefined || access.authority === undefined) throw new UsageError(`${what}: ${unsafe}`);
  return { ...access, authority: access.authority };
}

function byToken(name: string, { server = "", certificateAuthority, tokenFile }: AddFlags): SafeAccess {
  if (certificateAuthority === undefined || tokenFile === undefined)
    throw new UsageError("--server needs --certificate-authority and --token-file beside it");
  if (!URL.canParse(server)) throw new UsageError(`"${server}" is no address: write https://host:port`);
  const read = <T>(work: () => T) => {
    try {
      return work();
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  };
  const authority = read(() => readFileSync(certificateAuthority, "utf8"));
  if (!authority.includes("-----BEGIN CERTIFICATE-----"))
    throw new UsageError(`${certificateAuthority} holds no certificate in PEM`);
  if (read(() => readToken(tokenFile)) === "") throw new UsageError(`${tokenFile} holds no token`);
  const identity = { tokenFile: resolve(tokenFile) };
  const way = { serverName: undefined, proxy: undefined, namespace: "default", insecure: false };
  return safe({ context: name, server, authority, identity, ...way }, "--server");
}

function byContext({ context, kubeconfig }: AddFlags): SafeAccess {
  const access = found(clusterAccess({ context, kubeconfig, env: process.env, home: homedir() }));
  return safe(access, `context ${access.context}`);
}

/** Previews our account, and with --yes makes it; undefined where nothing is to be registered. */
async function madeAccount(
  access: ClusterAccess,
  flags: AddFlags,
  name: string,
  context: CommandContext,
): Promise<{ readonly token: string } | undefined> {
  const { namespace, webhook, yes, tokenDays } = flags;
  const { io } = context;
  const client = found(await connect(access));
  const done: string[] = [];
  try {
    const changes = await accountChanges(client, accountObjects(serverManifests(), { namespace, webhook }));
    const foreign = changes.filter(({ action }) => action === "foreign");
    if (foreign.length > 0) {
      io.err(`castellan: ${foreign.map(({ object }) => titleOf(object)).join(", ")}: there already, and not made by us. `);
      io.err("Castellan runs in that cluster, or did: remove that first, or use its account with --server\n");
      context.exit(exitCodes.findings);
      return undefined;
    }
    if (yes !== true) {
      preview(changes, access, name, context);
      return undefined;
    }
    for (const change of changes) {
      await makeAccountChange(client, change);
      if (change.action !== "keep") done.push(`${change.action}d ${titleOf(change.object)}`);
    }
    return { token: await requestToken(client, namespace, tokenDays * daySeconds) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    io.err(`castellan: the API server refused: ${error.message}\n`);
    if (done.length > 0) {
      const way = `--and-its-account --context ${access.context} --namespace ${namespace}`;
      io.err(`castellan: nothing was registered; what was made can be removed by: castellan cluster remove ${name} ${way}\n`);
    }
    context.exit(exitCodes.incomplete);
    return undefined;
  } finally {
    for (const line of done) io.out(`${line}\n`);
    await client.close();
  }
}

function preview(changes: readonly AccountChange[], access: ClusterAccess, name: string, { io }: CommandContext): void {
  const making = changes.filter(({ action }) => action !== "keep");
  io.out(making.map(({ object }) => writeYaml(object)).join("---\n"));
  const count = (wanted: AccountChange["action"]) => changes.filter(({ action }) => action === wanted).length;
  const kept = count("keep") > 0 ? `, and ${count("keep")} left as they are` : "";
  io.err(
    `castellan: ${access.server}: ${count("create")} objects would be created, ${count("update")} brought up to date${kept}; `,
  );
  io.err(`then a token of ServiceAccount castellan would be kept here as ${name}. Nothing was done: add --yes\n`);
}

export const titleOf = (object: KubernetesObject): string => `${object.kind} ${nameOf(object)}`;
