import { setImmediate as immediately } from "node:timers/promises";
import { parseExactJson } from "../../core/exact-json.ts";
import type { Fact, Need } from "../../core/facts.ts";
import { type ImageReference, parseImageReference } from "../../core/image-reference.ts";
import { asString, isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { type Check, type SignedLayer, signatureProblem, signedLayers, statementIn, tagOf } from "./cosign.ts";
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
    const what = question.predicateType === undefined ? "sig" : "att";
    const manifest = await this.#signatures(kept, tagOf(digest, what), signal);
    const of: Signed = { layers: signedLayers(manifest, what), kept, digest, check: { question, trust } };
    return what === "sig" ? this.#signature(of, signal) : this.#attestations(of, signal);
  }

  /** Null: there are none. */
  async #signatures(repository: Repository, tag: string, signal: AbortSignal): Promise<JsonValue> {
    try {
      return parsed(await this.#client.manifest(repository, { tag, digest: "" }, signal));
    } catch (error) {
      if (error instanceof RegistryError && error.notFound) return null;
      throw error;
    }
  }

  async #signature({ layers, kept, digest, check }: Signed, signal: AbortSignal): Promise<JsonObject> {
    const problems: LayerProblem[] = [];
    for (const layer of layers) {
      const bytes = await this.#layer(kept, layer, mostPayloadBytes, signal);
      const problem = Buffer.isBuffer(bytes) ? { isOpen: false, message: signatureProblem(bytes, layer, digest, check) } : bytes;
      if (problem.message === undefined) return { verified: true, digest };
      problems.push({ ...problem, message: problem.message });
    }
    return unverified(digest, problems, "no signatures found");
  }

  async #attestations({ layers, kept, digest, check }: Signed, signal: AbortSignal): Promise<JsonObject> {
    const problems: LayerProblem[] = [];
    const statements: JsonObject[] = [];
    let left = mostStatementBytes;
    for (const layer of layers) {
      const bytes = await this.#layer(kept, layer, left, signal);
      if (!Buffer.isBuffer(bytes)) {
        problems.push(bytes);
        continue;
      }
      left -= bytes.length;
      const statement = await this.#examine(() => statementIn(bytes, layer, digest, check));
      if (typeof statement === "string") problems.push({ isOpen: false, message: statement });
      else if (statement["type"] === check.question.predicateType) statements.push(statement);
      else problems.push({ isOpen: false, message: `no attestation of the type ${check.question.predicateType}` });
    }
    if (statements.length === 0) return unverified(digest, problems, "no attestations found");
    return { verified: true, digest, statements };
  }

  /** What takes long, and anybody who may push can make long, one after the other: everything else has its turns in between. */
  #examine<T>(work: () => T): Promise<T> {
    const result = this.#lastExamined.then(() => immediately()).then(work);
    this.#lastExamined = result.catch(() => {});
    return result;
  }

  /** One that cannot be had does not hide the others: anybody who may push to the repository can add some. */
  async #layer(kept: Repository, layer: SignedLayer, mostBytes: number, signal: AbortSignal): Promise<Buffer | LayerProblem> {
    try {
      return (await this.#client.blob(kept, layer.digest, mostBytes, signal)).bytes;
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
  readonly layers: readonly SignedLayer[];
  /** Where they are kept. */
  readonly kept: Repository;
  readonly digest: string;
  readonly check: Check;
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

/** @throws RegistryError */
function parsed({ bytes, digest }: Content): JsonValue {
  try {
    return parseExactJson(bytes.toString("utf8"));
  } catch {
    throw new RegistryError(`the content of ${digest} is not JSON`, { isFinal: true });
  }
}
