import { buildNetwork } from "../../analysis/network/build.ts";
import { networkPage } from "../../analysis/network/view/page.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";

/** What the network page shows: who may talk to whom among the objects of the moment. */
export function networkView(
  documents: readonly SourceDocument[],
  catalogue: WorkloadCatalogue,
  complete: boolean,
  title: string,
) {
  return networkPage(buildNetwork(documents, { catalogue, complete }), title);
}
