import type { ApiResource, ApiResources } from "../core/api-resources.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { SourceDocument } from "../core/source.ts";
import { UnansweredError } from "./command.ts";
import type { Io } from "./io.ts";
import { createProgress } from "./progress.ts";

export interface LiveObjects {
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
  readonly resources: ApiResources;
  /** Nothing was hidden. */
  readonly complete: boolean;
}

/** The objects of the cluster of a kubeconfig context: of all kinds that are loaded by default, or of those that are `wanted`. Throws `UnansweredError` where it cannot be reached. */
export async function liveObjects(
  context: string | undefined,
  io: Io,
  wanted?: (resource: ApiResource) => boolean,
): Promise<LiveObjects> {
  const { loadCluster } = await import("../adapters/kubernetes/load-cluster.ts");
  const progress = createProgress(io);
  const cluster = await loadCluster({
    context,
    resources: wanted,
    onProgress: (done, total) => progress.show(`loading ${done} of ${total} kinds of objects`),
  });
  progress.clear();
  // Of a cluster that nobody reached "nobody may" would be an answer.
  if (!cluster.ok) throw new UnansweredError(cluster.diagnostics);
  const { documents, diagnostics, resources } = cluster.value;
  return { documents, diagnostics: [...diagnostics, ...cluster.diagnostics], resources, complete: diagnostics.length === 0 };
}
