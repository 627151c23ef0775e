/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** What pure code may not reach by itself. */
export interface Host {
  now(): Instant;
  /** Uniform in [0, 1). */
  random(): number;
}
