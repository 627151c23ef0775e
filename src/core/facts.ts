import type { JsonObject, JsonValue } from "./json.ts";

/** One piece of outside data that a policy asks for. */
export type Need =
  | { readonly kind: "namespace"; readonly name: string }
  | { readonly kind: "config-map"; readonly namespace: string; readonly name: string }
  | { readonly kind: "api-call"; readonly method: "GET" | "POST"; readonly path: string; readonly body?: JsonValue }
  | {
      readonly kind: "http-call";
      readonly method: "GET" | "POST";
      readonly url: string;
      readonly headers: { readonly [name: string]: string };
      readonly body?: JsonValue;
      readonly caBundle?: string;
    }
  | { readonly kind: "image"; readonly reference: string }
  /**
   * Whether an attestor vouches for an image. `spec`: `check` (`signature` or `attestation`, then with `predicateType`),
   * `type` (Cosign, SigstoreBundle, Notary), the attestor's fields as in a Kyverno policy, `pullSecrets`.
   * The answer: `{verified, digest, message, statements}`; statements are `{type, predicate}`.
   */
  | { readonly kind: "image-verification"; readonly reference: string; readonly spec: JsonValue }
  | SignedMessageNeed
  | GlobalContextNeed
  | ObjectsNeed;

/**
 * Whether one of the signatures of a message is a key's, and what the message says. Message and signatures are base64; the
 * message is YAML or a gzipped tar of YAML files, gzipped. The answer: `{verified, reason, texts}`; `reason` says why it is
 * not verified, and then there are no texts.
 */
export interface SignedMessageNeed {
  readonly kind: "signed-message";
  readonly message: string;
  readonly signatures: readonly string[];
  /** PEM: an EC, RSA or Ed25519 key. */
  readonly publicKey: string;
}

/** What an entry of the global context holds, or one of its projections. */
export interface GlobalContextNeed {
  readonly kind: "global-context";
  readonly name: string;
  readonly projection?: string;
}

/**
 * Live objects; the answer is an array of them. Group, version, kind, `namespace` and `name` may hold the wildcards `*`
 * and `?`; an empty namespace or name matches all. `selector` is a Kubernetes label selector.
 */
export interface ObjectsNeed {
  readonly kind: "objects";
  readonly apiVersion: string;
  readonly objectKind: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly selector?: JsonObject;
  /** That there are none must be certain: where only a part of the objects is known, none is no answer. */
  readonly certain?: true;
}

/** The answer to a need; a failure carries why, and becomes an error result. */
export type Fact =
  | { readonly ok: true; readonly value: JsonValue }
  /** `notFound`: it is certain that there is no such thing. */
  | { readonly ok: false; readonly message: string; readonly notFound?: boolean };

/** Facts known so far; `undefined` means not asked yet, and makes the evaluation pending. */
export interface Facts {
  get(need: Need): Fact | undefined;
}

/** Thrown by an evaluation that cannot go on before these needs are answered; the engine collects them and answers `pending`. */
export class NeedsFacts extends Error {
  readonly needs: readonly Need[];

  constructor(needs: readonly Need[]) {
    super("evaluation needs facts that are not known yet");
    this.needs = needs;
  }
}

/**
 * The value of a fact.
 * @throws NeedsFacts when it was not asked yet; Error with the reason when it could not be had
 */
export function requireFact(facts: Facts, need: Need): JsonValue {
  const fact = facts.get(need);
  if (fact === undefined) throw new NeedsFacts([need]);
  if (!fact.ok) throw new Error(fact.message);
  return fact.value;
}

/** An empty projection is none. */
export const globalContextNeed = (name: string, projection: string): GlobalContextNeed => ({
  kind: "global-context",
  name,
  ...(projection === "" ? {} : { projection }),
});

/** A stable text for a need, fit as a map key. */
export function needKey(need: Need): string {
  return JSON.stringify(need, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

/** Answers every need with the same refusal: for places where no outside data can be had. */
export function noFacts(why: string): Facts {
  return { get: () => ({ ok: false, message: why }) };
}
