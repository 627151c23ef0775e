import { homedir } from "node:os";
import { loadDefaultRbacObjects } from "../adapters/files/catalog.ts";
import { clusterAccess } from "../adapters/kubernetes/kubeconfig.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import type { Finding } from "../core/finding.ts";
import { DriftWatch } from "../services/drift/drift-watch.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import type { ClusterSource } from "./serve-cluster.ts";

export interface DesiredFlags {
  /** `PATH`, where one cluster is governed, or `CLUSTER=PATH`. */
  readonly desired?: readonly string[];
  readonly kubeconfig?: string;
}

interface DesiredParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly io: Io;
  readonly tell: () => void;
  readonly trouble: (error: unknown) => void;
}

/** What is declared for the governed clusters, compared with them until it is stopped. */
export interface WatchedDesired {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** By cluster. */
  findings(): ReadonlyMap<string, readonly Finding[]>;
}

/** Throws `UsageError` where a path is of no cluster, or of nobody knows which. */
export function watchDesired(flags: DesiredFlags, sources: readonly ClusterSource[], parts: DesiredParts): WatchedDesired {
  const { store, ledger, io, tell, trouble } = parts;
  const watches = sources.flatMap((source) => {
    const paths = (flags.desired ?? []).flatMap((text) => pathFor(source.name, text, sources));
    if (paths.length === 0) return [];
    if (source.type === "files") throw new UsageError("--desired is compared with a cluster: --files are no cluster");
    return new DriftWatch({
      cluster: source.name,
      client: source.client,
      paths,
      namespace: source.access?.namespace ?? namespaceOf(source.name, flags),
      defaults: loadDefaultRbacObjects().objects,
      store,
      ledger,
      now: io.now,
      onChange: tell,
      onTrouble: trouble,
    });
  });
  return {
    start: async () => {
      await Promise.all(watches.map((watch) => watch.start()));
    },
    stop: async () => {
      await Promise.all(watches.map((watch) => watch.stop()));
    },
    findings: () => new Map(watches.map((watch) => watch.findings())),
  };
}

/** A cluster's name may hold slashes, as those of EKS do. */
function pathFor(cluster: string, text: string, sources: readonly ClusterSource[]): readonly string[] {
  const named = sources.find(({ name }) => text.startsWith(`${name}=`));
  if (named !== undefined) return named.name === cluster ? [text.slice(cluster.length + 1)] : [];
  if (sources.length > 1) throw new UsageError(`--desired ${text}: several clusters are governed: write CLUSTER=PATH`);
  return [text];
}

function namespaceOf(context: string, { kubeconfig }: DesiredFlags): string {
  const named = context === "in-cluster" ? undefined : context;
  const access = clusterAccess({ context: named, kubeconfig, env: process.env, home: homedir() });
  return access.ok ? access.value.namespace : "default";
}
