import { loadComponentDocument, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { type LoadOptions, loadPaths } from "../adapters/files/load-paths.ts";
import { AddressSet } from "../analysis/network/address-set.ts";
import { buildNetwork } from "../analysis/network/build.ts";
import type { ComponentCatalogue } from "../analysis/network/catalogue/component.ts";
import { parseComponents } from "../analysis/network/catalogue/parse-components.ts";
import type { CniProfile, Network, NetworkOptions } from "../analysis/network/model.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { SourceDocument } from "../core/source.ts";
import { type CommandContext, nothingFound, UsageError } from "./command.ts";
import { liveObjects } from "./live-objects.ts";

/** Options of every command of `net`. */
export interface NetFlags {
  readonly file?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly cni?: CniProfile;
  readonly podCidr?: readonly string[];
  readonly namespace?: string;
  readonly render?: LoadOptions["render"];
}

export interface NetInput {
  readonly network: Network;
  readonly options: NetworkOptions;
  readonly documents: readonly SourceDocument[];
  /** What could not be read; the network has its own on top. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly string[];
}

/** Loads files or the live cluster, and reads who may talk to whom. */
export async function loadNetwork(flags: NetFlags, context: CommandContext): Promise<NetInput> {
  const paths = flags.file ?? [];
  if (paths.length === 0 && flags.cluster !== true)
    throw new UsageError("name manifests: paths, - for standard input, or --cluster");
  const files = await loadPaths(paths, loadOptions(flags));
  const cluster = flags.cluster === true ? await liveObjects(flags.context, context.io) : undefined;
  const documents = [...files.documents, ...(cluster?.documents ?? [])];
  // Of files none of which could be read "nothing passes" would be an answer.
  if (documents.length === 0) throw nothingFound(files.diagnostics, `no object is in ${paths.join(", ")}`);
  const options = networkOptions(flags, cluster?.complete === true && paths.length === 0);
  const network = buildNetwork(documents, options);
  const diagnostics = [...files.diagnostics, ...(cluster?.diagnostics ?? []), ...network.diagnostics];
  return { network, options, documents, diagnostics, sources: [...paths, ...(flags.cluster === true ? ["cluster"] : [])] };
}

/** One side of a difference: a file or folder. */
export async function loadNetworkPath(path: string, flags: NetFlags): Promise<NetInput> {
  const files = await loadPaths([path], loadOptions(flags));
  if (files.documents.length === 0) throw nothingFound(files.diagnostics, `no object is in ${path}`);
  const options = networkOptions(flags, false);
  const network = buildNetwork(files.documents, options);
  return {
    network,
    options,
    documents: files.documents,
    diagnostics: [...files.diagnostics, ...network.diagnostics],
    sources: [path],
  };
}

function loadOptions({ render }: NetFlags): LoadOptions {
  return render === undefined ? {} : { render };
}

function networkOptions({ cni, podCidr, namespace }: NetFlags, complete: boolean): NetworkOptions {
  return {
    catalogue: loadWorkloadCatalogue(),
    complete,
    ...(namespace === undefined ? {} : { namespace }),
    ...(cni === undefined ? {} : { cni }),
    ...(podCidr === undefined ? {} : { podAddresses: addressesOf(podCidr) }),
  };
}

function addressesOf(blocks: readonly string[]): AddressSet {
  return blocks.reduce((set, text) => {
    const block = AddressSet.parse(text);
    if (block === undefined) throw new UsageError(`--pod-cidr ${text} is no block of addresses, such as 10.244.0.0/16`);
    return set.union(block);
  }, AddressSet.none);
}

/** The built-in catalogue of components, and those of `paths`; a broken one is a wrong command line that names its place. */
export async function loadComponents(paths: readonly string[]): Promise<ComponentCatalogue> {
  const files = await loadPaths(paths);
  const broken = files.diagnostics.find((d) => d.severity === "error");
  const parsed = broken === undefined ? parseComponents([loadComponentDocument(), ...files.documents]) : undefined;
  if (parsed?.ok === true) return parsed.value;
  const problem = broken ?? parsed?.diagnostics[0];
  const at = problem?.span === undefined ? "" : `${problem.span.file}:${problem.span.start.line}: `;
  throw new UsageError(`the catalogue cannot be read: ${at}${problem?.message ?? ""}`);
}
