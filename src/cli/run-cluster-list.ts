import { accessNow, type ClusterFileFlags, registeredClusters } from "./cluster-registry.ts";
import { type ClusterState, clusterState, endText } from "./cluster-state.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { columns, writeAnswer } from "./rbac-table.ts";

export interface ListFlags extends ClusterFileFlags {
  readonly output: "table" | "json";
}

/** Asks every registered cluster, by the newest of its tokens. */
export async function runList(flags: ListFlags, context: CommandContext): Promise<void> {
  const clusters = registeredClusters(flags);
  const states = await Promise.all(clusters.map((cluster) => clusterState(cluster, accessNow(cluster, flags), context)));
  const answer = {
    clusters: states.map(({ tokenEnds, ...state }) => ({
      ...state,
      tokenEnds: tokenEnds === undefined ? null : new Date(tokenEnds).toISOString(),
    })),
  };
  writeAnswer(answer, () => tableOf(states, context), flags.output, context);
  if (states.some(({ reached }) => !reached)) context.exit(exitCodes.incomplete);
  else if (states.some((state) => state.reached && state.missingRights.length > 0)) context.exit(exitCodes.findings);
}

function tableOf(states: readonly ClusterState[], { io }: CommandContext): string {
  if (states.length === 0) return "No cluster is registered: castellan cluster add --help\n";
  const rows = states.map((state) => {
    const { name, server, tokenEnds } = state;
    if (!state.reached) return [name, server, "not reached", "", endText(tokenEnds), state.reason];
    const missing = state.missingRights.length === 0 ? "none" : state.missingRights.join("; ");
    return [name, server, "reached", state.version, endText(tokenEnds), missing];
  });
  return columns(["NAME", "SERVER", "STATE", "VERSION", "TOKEN ENDS", "MISSING RIGHTS, OR WHY NOT"], rows, io);
}
