import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type CelInput, celEnv, parse as parsePeer, plan } from "@bufbuild/cel";
import { Environment } from "@marcbachmann/cel-js";
import type { JsonObject } from "../../src/core/json.ts";
import { check, compile, Env, type Program, parse, standardLibrary, variable } from "../../src/languages/cel/index.ts";
import { dynType } from "../../src/languages/cel/types.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { celGoCost } from "./cel-go.ts";

const source = "object.spec.containers.all(c, c.securityContext.allowPrivilegeEscalation == false)";

const container = (name: string): JsonObject => ({
  name,
  image: `registry.example.com/shop/${name}:1.2.3`,
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
});

const object: JsonObject = { spec: { containers: ["web", "proxy", "metrics"].map(container) } };

const env = new Env({ libraries: [standardLibrary], variables: [variable("object", dynType)] });

function prepared(text: string): Program {
  const parsed = parse(text, env.syntax);
  const typed = parsed.ok ? check(parsed.value, env) : parsed;
  const program = typed.ok ? compile(typed.value, env) : typed;
  if (!program.ok) throw new Error(`the sample does not compile: ${program.issues[0]?.message}`);
  return program.value;
}

const peerInput = { object: object as unknown as CelInput };
const bufbuild = () => plan(celEnv(), parsePeer(source));
const marcbachmann = new Environment({ unlistedVariablesAreDyn: true });

/** CPU microseconds of one call once it runs at speed: the best of five rounds. */
function cost(run: () => unknown, runs: number): number {
  for (let i = 0; i < runs / 5; i++) run();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < runs; i++) run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / runs);
  }
  return best;
}

/** KB that one more of what `make` makes keeps. */
function memory(make: () => unknown): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("memory cannot be collected");
  const count = 5000;
  const kept: unknown[] = [make()];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) kept.push(make());
  collect();
  const after = process.memoryUsage().heapUsed;
  return kept.length > count ? (after - before) / count / 1024 : Number.NaN;
}

function evaluation(): BenchRow {
  const program = prepared(source);
  const variables = { object };
  const [one, other] = [bufbuild(), marcbachmann.parse(source)];
  if (program.evaluate(variables).value !== true || one(peerInput) !== true || other(peerInput) !== true) {
    throw new Error("the sample does not hold");
  }
  const ours = cost(() => program.evaluate(variables).value, 500_000);
  const peer = Math.min(
    cost(() => one(peerInput), 50_000),
    cost(() => other(peerInput), 50_000),
  );
  return { name: "all() over three containers", unit: "us", ours, peer, target: { atMost: 1.25 } };
}

function preparation(): BenchRow {
  const ours = cost(() => prepared(source), 20_000);
  const peer = Math.min(
    cost(bufbuild, 2_000),
    cost(() => marcbachmann.parse(source).check(), 10_000),
  );
  return { name: "parse, check and compile", unit: "us", ours, peer, target: { atMost: 50 } };
}

function size(): BenchRow {
  const peer = Math.min(
    memory(bufbuild),
    memory(() => marcbachmann.parse(source)),
  );
  return { name: "memory of an expression", unit: "KB", ours: memory(() => prepared(source)), peer, target: { atMost: 10 } };
}

/** The same two figures beside cel-go, where there is Go. */
function besideGo(rows: readonly BenchRow[]): readonly BenchRow[] {
  const go = celGoCost(source, object);
  if (go === undefined) return [];
  const peers = [go.evaluate, go.prepare];
  return rows.flatMap(({ name, unit, ours }, i) => {
    const peer = peers[i];
    return peer === undefined ? [] : [{ name: `${name}, cel-go`, unit, ours, peer }];
  });
}

/** CEL beside the two other engines in JavaScript, of which the better figure is the peer's, and beside cel-go. */
export const celBench: Bench = {
  name: "cel",
  run: () => {
    const [evaluate, prepare] = [evaluation(), preparation()];
    return Promise.resolve({ rows: [evaluate, prepare, size(), ...besideGo([evaluate, prepare])] });
  },
};
