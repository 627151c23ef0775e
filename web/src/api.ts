import { useEffect, useState } from "react";
import { parseExactJson } from "../../src/core/exact-json.ts";
import { asString, type JsonValue, member } from "../../src/core/json.ts";
import type { Answers } from "./api/schema.gen.ts";
import { setServerTime } from "./clock.ts";

type Gettable = { [K in keyof Answers]: K extends `GET ${infer P}` ? P : never }[keyof Answers];

/** What a path of the API answers to GET. */
export type Answer<P extends Gettable> = Answers[`GET ${P}`];

export type OverviewAnswer = Answer<"/api/v1/overview">;
export type FindingRow = Answer<"/api/v1/findings">["items"][number];
export type Severity = FindingRow["severity"];
export type PolicyRow = Answer<"/api/v1/policies">["items"][number];
export type RecordView = Answer<"/api/v1/audit/records">["items"][number];

/** 64-bit integers of objects keep their digits: what an approver sees is what is sent. Undefined where it is no JSON. */
function exactJson(text: string): JsonValue | undefined {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/** What a request came to: nothing yet, an answer, or why there is none. */
export interface Loading<T> {
  readonly value?: T;
  readonly problem?: string;
  /** What kind of problem, which decides what helps. */
  readonly because?: Obstacle;
}

/** Nobody is logged in any more; it is not theirs to see; the server was not reached; it answered something else. */
export type Obstacle = "login" | "forbidden" | "unreachable" | "other";

const obstacles: ReadonlyMap<number, Obstacle> = new Map([
  [401, "login"],
  [403, "forbidden"],
]);

class NoAnswer extends Error {
  readonly because: Obstacle;
  constructor(message: string, because: Obstacle) {
    super(message);
    this.because = because;
  }
}

async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal, headers: { accept: "application/json" } }).catch((error: Error) => {
    throw new NoAnswer(error.message, "unreachable");
  });
  setServerTime(response.headers.get("date"));
  const body = exactJson(await response.text());
  if (!response.ok) {
    const message = asString(member(body, "message")) ?? `the server answered ${response.status}`;
    throw new NoAnswer(message, obstacles.get(response.status) ?? "other");
  }
  return body as T;
}

interface Given {
  /** For the names in braces. */
  readonly path?: { readonly [name: string]: string | number };
  readonly query?: Parameters<typeof query>[0];
}

/** The answer of a path as the OpenAPI document names it, asked again whenever the server says that something changed. */
export function useAnswer<P extends Gettable>(path: P, given: Given = {}): Loading<Answer<P>> {
  return useFetched(addressOf(path, given));
}

export function addressOf(path: string, { path: names = {}, query: parameters = {} }: Given = {}): string {
  return path.replace(/\{(\w+)\}/g, (_braces, name: string) => encodeURIComponent(String(names[name]))) + query(parameters);
}

/** As `useAnswer`, once: for what costs the server much. Rejects with the server's message. */
export const askOnce = <P extends Gettable>(path: P, given: Given, signal: AbortSignal): Promise<Answer<P>> =>
  get(addressOf(path, given), signal);

/** Asks anew after each change; the old answer stays meanwhile. */
function useFetched<T>(address: string): Loading<T> {
  const [state, setState] = useState<Loading<T>>({});
  const version = useServerChanges();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change on the server is a reason to ask again.
  useEffect(() => {
    const abort = new AbortController();
    get<T>(address, abort.signal).then(
      (value) => setState({ value }),
      (error: Error) => {
        const because = error instanceof NoAnswer ? error.because : "other";
        if (!abort.signal.aborted) setState((before) => ({ ...before, problem: error.message, because }));
      },
    );
    return () => abort.abort();
  }, [address, version]);
  return state;
}

const listeners = new Set<() => void>();

/** After an own action: what pages show is asked for again without waiting for the server to tell. */
export function askAgain(): void {
  for (const listener of listeners) listener();
}

let source: EventSource | undefined;

/** Counts the server's change events; one connection serves all who listen. */
export function useServerChanges(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const listener = () => setVersion((n) => n + 1);
    listeners.add(listener);
    if (source === undefined) {
      source = new EventSource("/api/v1/events");
      let first = true;
      source.addEventListener("change", () => {
        if (first) first = false;
        else askAgain();
      });
      // Cut off, or logged out: asking tells which. The browser connects again by itself, unless it was refused.
      source.addEventListener("error", askAgain);
    }
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return version;
}

/** The name alone of `group/Kind/name`, as people know their policies; checks of ours have a group that says something. */
export const shortPolicy = (name: string): string => name.split("/")[2] ?? name;

/** A query string of the members that are set. */
export function query(parameters: {
  readonly [name: string]: string | number | boolean | readonly string[] | undefined;
}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === "") continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, String(item));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}
