import type { JsonValue } from "./json.ts";

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
  | { readonly kind: "image-verification"; readonly reference: string; readonly spec: JsonValue }
  | { readonly kind: "global-context"; readonly name: string };

/** The answer to a need; a failure carries why, and becomes an error result. */
export type Fact = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly message: string };

/** Facts known so far; `undefined` means not asked yet, and makes the evaluation pending. */
export interface Facts {
  get(need: Need): Fact | undefined;
}

/** A stable text for a need, fit as a map key. */
export function needKey(need: Need): string {
  return JSON.stringify(need, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

/** Answers every need with the same refusal: for places where no outside data can be had. */
export function noFacts(why: string): Facts {
  return { get: () => ({ ok: false, message: why }) };
}
