import type { JsonValue } from "./json.ts";

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/**
 * What pure code may not reach by itself. A function that a host lacks is left out;
 * the rule that wanted it gets an error result that says so.
 */
export interface Host {
  now(): Instant;
  /** Uniform in [0, 1). */
  random(): number;
  /** A PEM certificate or certificate request as Go's crypto/x509 shows it in JSON. Throws on bad input. */
  decodeX509?(pem: string): JsonValue;
}
