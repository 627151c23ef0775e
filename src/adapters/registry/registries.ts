import { parseExactJson } from "../../core/exact-json.ts";
import type { Fact, Need } from "../../core/facts.ts";
import { type ImageReference, parseImageReference } from "../../core/image-reference.ts";
import { asString, isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { signatureProblem, signedLayers, statementIn, tagOf } from "./cosign.ts";
import { type CosignQuestion, readQuestion } from "./cosign-question.ts";
import { type Content, type RegistryAccess, RegistryClient, RegistryError, type Repository } from "./registry-client.ts";

/** What policies ask about images. */
export type ImageNeed = Extract<Need, { readonly kind: "image" | "image-verification" }>;

/** A configuration says how an image is run: some kilobytes. */
const mostConfigBytes = 4 * 1024 * 1024;
/** Statements may hold the list of everything that is in an image. */
const mostSignedBytes = 16 * 1024 * 1024;

/**
 * Answers what policies ask about images, by the registries that the operator named: whoever makes a pod chooses its image, and so would choose who is called.
 * Everything else, and every failure, is a fact that says why.
 */
export class Registries {
  /** By what stands in front of an image's path: `docker.io`, `localhost:5000`. */
  readonly #allowed: ReadonlyMap<string, RegistryAccess>;
  readonly #client: RegistryClient;

  constructor(allowed: ReadonlyMap<string, RegistryAccess>, now: () => number) {
    this.#allowed = allowed;
    this.#client = new RegistryClient(now);
  }

  async ask(need: ImageNeed, signal: AbortSignal): Promise<Fact> {
    try {
      const value = need.kind === "image" ? await this.#data(need.reference, signal) : await this.#verification(need, signal);
      return { ok: true, value };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
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
    const { image, repository } = this.#locate(reference);
    const { digest } = await this.#client.manifest(repository, image, signal);
    const kept = question.repository === "" ? repository : this.#locate(question.repository).repository;
    const what = question.predicateType === undefined ? "sig" : "att";
    const manifest = await this.#signatures(kept, tagOf(digest, what), signal);
    if (manifest === undefined) return { verified: false, digest, message: "no signatures found" };
    return what === "sig"
      ? this.#signature(kept, manifest, digest, question, signal)
      : this.#attestations(kept, manifest, digest, question, signal);
  }

  async #signatures(repository: Repository, tag: string, signal: AbortSignal): Promise<JsonValue | undefined> {
    try {
      return parsed(await this.#client.manifest(repository, { tag, digest: "" }, signal));
    } catch (error) {
      if (error instanceof RegistryError && error.notFound) return undefined;
      throw error;
    }
  }

  async #signature(kept: Repository, manifest: JsonValue, digest: string, question: CosignQuestion, signal: AbortSignal) {
    let message = "no signatures found";
    for (const layer of signedLayers(manifest, "sig")) {
      const { bytes } = await this.#client.blob(kept, layer.digest, mostSignedBytes, signal);
      const problem = signatureProblem(bytes, layer.signature, digest, question);
      if (problem === undefined) return { verified: true, digest };
      message = problem;
    }
    return { verified: false, digest, message };
  }

  async #attestations(kept: Repository, manifest: JsonValue, digest: string, question: CosignQuestion, signal: AbortSignal) {
    let message = "no attestations found";
    const statements: JsonObject[] = [];
    for (const layer of signedLayers(manifest, "att")) {
      const { bytes } = await this.#client.blob(kept, layer.digest, mostSignedBytes, signal);
      const statement = statementIn(bytes, digest, question);
      if (typeof statement === "string") message = statement;
      else if (statement["type"] === question.predicateType) statements.push(statement);
      else message = `no attestation of the type ${question.predicateType}`;
    }
    return statements.length > 0 ? { verified: true, digest, statements } : { verified: false, digest, message };
  }

  #locate(reference: string): { readonly image: ImageReference; readonly repository: Repository } {
    const parsed = parseImageReference(reference);
    if (!parsed.ok) throw new Error(`${reference}: ${parsed.message}`);
    const { registry, path } = parsed.value;
    const access = this.#allowed.get(registry);
    if (access === undefined)
      throw new Error(`the registry ${registry} is not asked: castellan serve was not started with --allow-registry ${registry}`);
    // What has no owner at Docker Hub is in its library.
    const isOfficial = registry === "docker.io" && !path.includes("/");
    return { image: parsed.value, repository: { access, path: isOfficial ? `library/${path}` : path } };
  }
}

/** The image of Linux on AMD64, as Kyverno takes it. @throws Error where there is none */
function usualPlatform(list: readonly JsonValue[]): string {
  const found = list.find((entry) => {
    const platform = member(entry, "platform");
    return member(platform, "os") === "linux" && member(platform, "architecture") === "amd64";
  });
  const digest = asString(member(found, "digest"));
  if (digest === undefined) throw new Error("the image is not there for linux/amd64");
  return digest;
}

/** @throws Error */
const parsed = ({ bytes }: Content): JsonValue => parseExactJson(bytes.toString("utf8"));
