import { setImmediate as immediately } from "node:timers/promises";
import { parseExactJson } from "../../core/exact-json.ts";
import type { Fact, Need } from "../../core/facts.ts";
import { type ImageReference, parseImageReference } from "../../core/image-reference.ts";
import { asString, isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import {
  bundleBlobOf,
  bundleDigests,
  type Check,
  type Found,
  type SignedLayer,
  signatureProblem,
  signedLayers,
  statementIn,
  statementInBundle,
  tagOf,
} from "./cosign.ts";
import { readQuestion } from "./cosign-question.ts";
import { type Content, type RegistryAccess, RegistryClient, RegistryError, type Repository } from "./registry-client.ts";
import type { SigstoreTrust } from "./sigstore-trust.ts";

/** What policies ask about images. */
export type ImageNeed = Extract<Need, { readonly kind: "image" | "image-verification" }>;

/** A configuration says how an image is run: some kilobytes. */
const mostConfigBytes = 4 * 1024 * 1024;
/** What is signed of an image is some hundred bytes. */
const mostPayloadBytes = 64 * 1024;
/** Of all attestations of one image together: statements may hold the list of everything that is in it. */
const mostStatementBytes = 16 * 1024 * 1024;

/**
 * Answers what policies ask about images, by the registries that the operator named: whoever makes a pod chooses its image, and so would choose who is called.
 * Everything else, and every failure, is a fact that says why.
 */
export class Registries {
  /** By what stands in front of an image's path: `docker.io`, `localhost:5000`. */
  readonly #allowed: ReadonlyMap<string, RegistryAccess>;
  readonly #trust: SigstoreTrust | undefined;
  readonly #client: RegistryClient;
  #lastExamined: Promise<unknown> = Promise.resolve();

  /** @param trust whose word about identities counts; undefined: nobody's */
  constructor(allowed: ReadonlyMap<string, RegistryAccess>, trust: SigstoreTrust | undefined, now: () => number) {
    this.#allowed = allowed;
    this.#trust = trust;
    this.#client = new RegistryClient(now);
  }

  async ask(need: ImageNeed, signal: AbortSignal): Promise<Fact> {
    try {
      const value = need.kind === "image" ? await this.#data(need.reference, signal) : await this.#verification(need, signal);
      return { ok: true, value };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Whoever makes a pod chooses its image, so what is wrong with that is no excuse for it.
      const isRefused = need.kind === "image-verification" && error instanceof RegistryError && error.isFinal;
      return isRefused ? { ok: true, value: { verified: false, message } } : { ok: false, message };
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** As Kyverno's `imageRegistry` has it. */
  async #data(reference: string, signal: AbortSignal): Promise<JsonObject> {
    const { image, repository } = this.#locate(reference);
    const top = await this.#client.manifest(repository, image, signal);
    let manifest = parsed(top);
    const list = member(manifest, "manifests");
    const isList = isArray(list);
    if (isList) manifest = parsed(await this.#client.manifest(repository, { tag: "", digest: usualPlatform(list) }, signal));
    const config = asString(member(member(manifest, "config"), "digest")) ?? "";
    const configData = parsed(await this.#client.blob(repository, config, mostConfigBytes, signal));
    const registry = image.registry === "docker.io" ? "index.docker.io" : image.registry;
    return {
      image: reference,
      resolvedImage: `${registry}/${repository.path}@${top.digest}`,
      registry,
      repository: repository.path,
      identifier: image.digest === "" ? image.tag : image.digest,
      ...(isList ? { manifestList: parsed(top) } : {}),
      manifest,
      configData,
    };
  }

  async #verification({ reference, spec }: Extract<ImageNeed, { kind: "image-verification" }>, signal: AbortSignal) {
    const question = readQuestion(spec);
    if (typeof question === "string") throw new Error(question);
    const trust = this.#trust;
    if (question.by.kind === "keyless" && trust === undefined)
      throw new Error("identities are not checked: castellan serve was not started with --sigstore-trusted-root");
    const { image, repository } = this.#locate(reference);
    const { digest } = await this.#client.manifest(repository, image, signal);
    const kept = question.repository === "" ? repository : this.#locate(question.repository).repository;
    const of: Signed = { kept, digest, check: { question, trust } };
    const tagged = question.forms.tags ? await this.#tagged(of, signal) : undefined;
    if (tagged !== undefined && (tagged["verified"] === true || !question.forms.bundles)) return tagged;
    const bundled = await this.#bundled(of, signal);
    return bundled["verified"] === true ? bundled : (tagged ?? bundled);
  }

  /** Signatures and attestations as cosign keeps them under tags. */
  async #tagged(of: Signed, signal: AbortSignal): Promise<JsonObject> {
    const what = of.check.question.predicateType === undefined ? "sig" : "att";
    const layers = signedLayers((await this.#manifest(of.kept, tagOf(of.digest, what), signal)) ?? null, what);
    if (what === "sig") return this.#signature(layers, of, signal);
    const sources = layers.map((layer) => ({
      digest: layer.digest,
      read: (bytes: Buffer) => statementIn(bytes, layer, of.digest, of.check),
    }));
    return this.#statements(sources, of, signal);
  }

  /** Bundles that refer to the image: by the distribution specification's referrers, or the tag that stands in for them. */
  async #bundled(of: Signed, signal: AbortSignal): Promise<JsonObject> {
    const { kept, digest, check } = of;
    const index =
      (await ifThere(this.#client.referrers(kept, digest, signal))) ??
      (await this.#manifest(kept, digest.replace(":", "-"), signal));
    const sources: StatementSource[] = [];
    for (const one of bundleDigests(index ?? null)) {
      const blob = bundleBlobOf((await ifThere(this.#client.manifest(kept, { tag: "", digest: one }, signal))) ?? null);
      if (blob !== undefined) sources.push({ digest: blob, read: (bytes) => statementInBundle(bytes, digest, check) });
    }
    return this.#statements(sources, of, signal);
  }

  #manifest(repository: Repository, tag: string, signal: AbortSignal): Promise<JsonValue | undefined> {
    return ifThere(this.#client.manifest(repository, { tag, digest: "" }, signal));
  }

  async #signature(layers: readonly SignedLayer[], { kept, digest, check }: Signed, signal: AbortSignal): Promise<JsonObject> {
    const problems: LayerProblem[] = [];
    for (const layer of layers) {
      const bytes = await this.#blob(kept, layer.digest, mostPayloadBytes, signal);
      if (!Buffer.isBuffer(bytes)) {
        problems.push(bytes);
        continue;
      }
      const message = await this.#examine(() => signatureProblem(bytes, layer, digest, check));
      if (message === undefined) return { verified: true, digest };
      problems.push({ isOpen: false, message });
    }
    return unverified(digest, problems, "no signatures found");
  }

  /** Where a signature is asked for, any statement by the signer about the image is one, as in Kyverno. */
  async #statements(
    sources: readonly StatementSource[],
    { kept, digest, check }: Signed,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const wanted = check.question.predicateType;
    const problems: LayerProblem[] = [];
    const statements: JsonObject[] = [];
    let left = mostStatementBytes;
    for (const source of sources) {
      const bytes = await this.#blob(kept, source.digest, left, signal);
      if (!Buffer.isBuffer(bytes)) {
        problems.push(bytes);
        continue;
      }
      left -= bytes.length;
      const statement = await this.#examine(() => source.read(bytes));
      if (typeof statement === "string") problems.push({ isOpen: false, message: statement });
      else if (wanted === undefined) return { verified: true, digest };
      else if (statement.type === wanted) statements.push(statement);
      else problems.push({ isOpen: false, message: `no attestation of the type ${wanted}` });
    }
    if (statements.length > 0) return { verified: true, digest, statements };
    return unverified(digest, problems, wanted === undefined ? "no signatures found" : "no attestations found");
  }

  /** What takes long, and anybody who may push can make long, one after the other: everything else has its turns in between. */
  #examine<T>(work: () => T): Promise<T> {
    const result = this.#lastExamined.then(() => immediately()).then(work);
    this.#lastExamined = result.catch(() => {});
    return result;
  }

  /** One that cannot be had does not hide the others: anybody who may push to the repository can add some. */
  async #blob(kept: Repository, digest: string, mostBytes: number, signal: AbortSignal): Promise<Buffer | LayerProblem> {
    try {
      return (await this.#client.blob(kept, digest, mostBytes, signal)).bytes;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return { isOpen: !error.isFinal, message: error.message };
    }
  }

  #locate(reference: string): { readonly image: ImageReference; readonly repository: Repository } {
    const parsed = parseImageReference(reference);
    if (!parsed.ok) throw new RegistryError(`${reference}: ${parsed.message}`, { isFinal: true });
    const { registry, path } = parsed.value;
    const access = this.#allowed.get(registry);
    if (access === undefined)
      throw new RegistryError(
        `the registry ${registry} is not asked: castellan serve was not started with --allow-registry ${registry}`,
        { isFinal: true },
      );
    // What has no owner at Docker Hub is in its library.
    const isOfficial = registry === "docker.io" && !path.includes("/");
    return { image: parsed.value, repository: { access, path: isOfficial ? `library/${path}` : path } };
  }
}

/** What is looked at to verify an image. */
interface Signed {
  /** Where signatures are kept. */
  readonly kept: Repository;
  readonly digest: string;
  readonly check: Check;
}

/** A blob that may hold a statement. */
interface StatementSource {
  readonly digest: string;
  readonly read: (bytes: Buffer) => Found;
}

/** Why one signature or attestation does not do; `isOpen`: nobody could look at it. */
interface LayerProblem {
  readonly isOpen: boolean;
  readonly message: string;
}

/** @throws Error where one could not be looked at that might have done */
function unverified(digest: string, problems: readonly LayerProblem[], none: string): JsonObject {
  const open = problems.find(({ isOpen }) => isOpen);
  if (open !== undefined) throw new Error(open.message);
  return { verified: false, digest, message: problems[0]?.message ?? none };
}

/** The image of Linux on AMD64, as Kyverno takes it, or else the first of Linux. @throws Error where there is none */
function usualPlatform(list: readonly JsonValue[]): string {
  const ofLinux = list.filter((entry) => member(member(entry, "platform"), "os") === "linux");
  const usual = ofLinux.find((entry) => member(member(entry, "platform"), "architecture") === "amd64") ?? ofLinux[0];
  const digest = asString(member(usual, "digest"));
  if (digest === undefined) throw new Error("the image is not there for linux");
  return digest;
}

/** Undefined: the registry has no such thing, or one that cannot be used. @throws RegistryError */
async function ifThere(content: Promise<Content>): Promise<JsonValue | undefined> {
  try {
    return parsed(await content);
  } catch (error) {
    if (error instanceof RegistryError && error.isFinal) return undefined;
    throw error;
  }
}

/** @throws RegistryError */
function parsed({ bytes, digest }: Content): JsonValue {
  try {
    return parseExactJson(bytes.toString("utf8"));
  } catch {
    throw new RegistryError(`the content of ${digest} is not JSON`, { isFinal: true });
  }
}
