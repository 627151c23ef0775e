import { UsageError } from "./command.ts";

/** A log of flows and the cluster whose it is. */
export interface FlowLogFile {
  readonly cluster: string;
  readonly path: string;
}

/**
 * Reads what `--flows` was given: `FILE` for the first of the governed clusters, `CLUSTER=FILE` for that one. A name may hold
 * slashes, as those of EKS do. Throws `UsageError` for a name of nobody: its file would be waited for forever.
 */
export function flowLogs(given: readonly string[], clusters: readonly string[]): readonly FlowLogFile[] {
  const [first = ""] = clusters;
  return given.map((text) => {
    const named = clusters.find((name) => text.startsWith(`${name}=`));
    if (named !== undefined) return { cluster: named, path: text.slice(named.length + 1) };
    const [, stranger] = /^([^/]+)=/.exec(text) ?? [];
    if (stranger !== undefined)
      throw new UsageError(
        `--flows ${text}: no cluster ${stranger} is governed here, but ${clusters.join(", ")}; a file of that name is ./${text}`,
      );
    return { cluster: first, path: text };
  });
}
