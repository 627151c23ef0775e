/** What came of one case. A skip says what the case waits for. */
export type Outcome =
  | { readonly status: "pass" }
  | { readonly status: "fail"; readonly message: string }
  | { readonly status: "skip"; readonly reason: string };

export interface Case {
  /** Stable: expected failures are listed by it. */
  readonly id: string;
  /** Throwing counts as a failure. */
  run(): Promise<Outcome> | Outcome;
}

/** One suite of official or recorded cases, read from a directory. */
export interface Corpus {
  readonly name: string;
  /** The corpus' directory under the conformance root; its name unless told. */
  readonly folder?: string;
  /** Too slow for `npm test`; `npm run conformance` runs it. */
  readonly slow?: boolean;
  cases(directory: string): AsyncIterable<Case>;
}

export const passed: Outcome = { status: "pass" };

export function failure(message: string): Outcome {
  return { status: "fail", message };
}

export function skipped(reason: string): Outcome {
  return { status: "skip", reason };
}

/** Pass if `actual` equals `expected` as JSON, member order apart. */
export function expectJson(actual: unknown, expected: unknown): Outcome {
  const [left, right] = [canonical(actual), canonical(expected)];
  return left === right ? passed : failure(`got ${shorten(left)}, expected ${shorten(right)}`);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (typeof v === "bigint") return Number(v);
    if (typeof v !== "object" || v === null || Array.isArray(v)) return v;
    return Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "undefined";
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}
