import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { Informer } from "../../adapters/kubernetes/informer.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import { writeExactJson } from "../../core/exact-json.ts";
import { declaredPart, type KubernetesObject } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import { allFormats } from "../../policies/all-formats.ts";
import { bindingKinds, exceptionKinds } from "../../policies/formats.ts";

/** The API server runs these itself where they are in the cluster; at admission we would only repeat it. */
export const runByServer = "admissionregistration.k8s.io";

const liveFile = "cluster:";

/** An object of a cluster as a document without positions. */
export function liveDocument(value: KubernetesObject, cluster: string): SourceDocument<KubernetesObject> {
  return { file: `${liveFile}${cluster}`, index: 0, value, locate: nowhere, locateKey: nowhere };
}

/** Whether a document is an object of a cluster. */
export const isLive = ({ file }: Pick<SourceDocument, "file">): boolean => file.startsWith(liveFile);

const nowhere = () => undefined;

/** Documents that live in a cluster as custom resources, policies and exceptions unless told otherwise, followed as they change. */
export class PolicyInformers {
  readonly #client: KubernetesClient;
  readonly #informers = new Map<string, Informer>();
  readonly #onChange: (documents: readonly SourceDocument<KubernetesObject>[]) => void;
  readonly #onTrouble: (error: Error) => void;
  readonly #wanted: (resources: ApiResources) => readonly ApiResource[];
  #told = false;
  #declared = "";

  constructor(
    client: KubernetesClient,
    onChange: (documents: readonly SourceDocument<KubernetesObject>[]) => void,
    onTrouble: (error: Error) => void,
    wanted: (resources: ApiResources) => readonly ApiResource[] = policyResources,
  ) {
    this.#client = client;
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
    this.#wanted = wanted;
  }

  /** Follows the kinds that are served; again after a change of what is served. */
  async follow(resources: ApiResources): Promise<void> {
    const wanted = new Map(this.#wanted(resources).map((resource) => [`${resource.group}/${resource.resource}`, resource]));
    const gone = [...this.#informers].filter(([key]) => !wanted.has(key));
    const fresh = [...wanted].filter(([key]) => !this.#informers.has(key));
    for (const [key] of gone) this.#informers.delete(key);
    // All are noted before anything is waited for: it may be told twice at a time what is served.
    const started = fresh.map(([key, resource]) => this.#start(key, resource));
    await Promise.all([...gone.map(([, informer]) => informer.stop()), ...started]);
    this.#tell();
  }

  async #start(key: string, resource: ApiResource): Promise<void> {
    const informer = new Informer(this.#client, resource, { onChanges: () => this.#tellSoon(), onTrouble: this.#onTrouble });
    this.#informers.set(key, informer);
    await informer.start().catch(this.#onTrouble);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }

  /** Many changes of one moment are one. */
  #tellSoon(): void {
    if (this.#told) return;
    this.#told = true;
    setTimeout(() => {
      this.#told = false;
      this.#tell();
    }, 50).unref();
  }

  /** A new status is no change of a policy: what we write there ourselves must not lead to compiling all of them again. */
  #tell(): void {
    const objects = [...this.#informers.values()].flatMap((informer) => [...informer.objects()]);
    const declared = writeExactJson(objects.map(declaredPart));
    if (declared === this.#declared) return;
    this.#declared = declared;
    this.#onChange(objects.map((object) => liveDocument(object, this.#client.context)));
  }
}

function policyResources(resources: ApiResources): readonly ApiResource[] {
  const kinds = [...allFormats.formats.flatMap((format) => format.kinds), ...exceptionKinds, ...bindingKinds];
  const served = kinds.flatMap(({ group, kind }) => {
    // Of constraints every template makes a kind of its own.
    if (kind === "*") return kindsOf(group, resources);
    return resources.byKind(group, kind) ?? [];
  });
  return served.filter((resource) => resource.verbs.includes("watch"));
}

function kindsOf(group: string, resources: ApiResources): readonly ApiResource[] {
  const names = new Set(
    resources
      .all()
      .filter((resource) => resource.group === group)
      .map(({ kind }) => kind),
  );
  return [...names].flatMap((kind) => resources.byKind(group, kind) ?? []);
}
