import { type JsonPath, jsonEquals, toDotted } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { policyName } from "../findings.ts";
import { judge, mutated, type OverlapEnv, type OverlapUnit, overlapUnits, type Verdict } from "./unit.ts";
import { combined, conflicts, editedObject, tries, type Variants, variantsOf } from "./variants.ts";

/** An object, and what each of the two rules says of it. */
interface Witness {
  readonly object: KubernetesObject;
  readonly first: Verdict;
  readonly second: Verdict;
}

interface RuleName {
  readonly policy: string;
  readonly rule: string;
}

/**
 * How two rules relate. `duplicate`: they refuse the same objects. `shadowed`: the first refuses nothing that the second
 * does not refuse. `contradictory`: no object satisfies both. `order-dependent`: two changes end differently in another order.
 */
export interface Overlap {
  readonly type: "duplicate" | "shadowed" | "contradictory" | "order-dependent";
  readonly first: RuleName;
  readonly second: RuleName;
  readonly witnesses: readonly Witness[];
  /** Objects that were tried: the relation holds for all of them, which is evidence and no proof. */
  readonly tried: number;
  /** The field they disagree on, where there is one. */
  readonly field?: string;
}

export interface Overlaps {
  readonly overlaps: readonly Overlap[];
  /** Pairs of rules that look at the same fields of the same kinds. */
  readonly compared: number;
  /** Rules of which no object was found that they accept, or none that they refuse: nothing is said of them. */
  readonly unknown: readonly RuleName[];
}

/** What hurts most comes first. */
const order: readonly Overlap["type"][] = ["contradictory", "order-dependent", "duplicate", "shadowed"];

/** Compares every two rules of the policies that look at the same fields of the same kinds. */
export function findOverlaps(policies: readonly CompiledPolicy[], env: OverlapEnv): Overlaps {
  const units = policies.flatMap(overlapUnits);
  const variants = new Map<string, Variants>();
  const variantsFor = (unit: OverlapUnit, index: number, kind: string) => {
    const key = `${index} ${kind}`;
    const known = variants.get(key) ?? variantsOf(unit, kind, env);
    variants.set(key, known);
    return known;
  };
  const overlaps: Overlap[] = [];
  const unknown = new Set<OverlapUnit>();
  let compared = 0;
  for (const [i, first] of units.entries()) {
    for (const [j, second] of units.entries()) {
      const kind = j <= i ? undefined : first.kinds.find((k) => second.kinds.includes(k));
      if (kind === undefined || !shareField(fieldsOf(first, kind, env), fieldsOf(second, kind, env))) continue;
      compared++;
      if (first.type === "mutate" || second.type === "mutate") {
        overlaps.push(...changes(first, second, kind, env));
        continue;
      }
      const pair: Pair = { first, second, kind, a: variantsFor(first, i, kind), b: variantsFor(second, j, kind) };
      if (!isKnown(pair.a)) unknown.add(first);
      if (!isKnown(pair.b)) unknown.add(second);
      if (isKnown(pair.a) && isKnown(pair.b)) overlaps.push(...checks(pair, env));
    }
  }
  overlaps.sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  return { overlaps, compared, unknown: [...unknown].map(nameOf) };
}

/** A rule of which no object is known that it accepts, or refuses, would look like the shadow of any other. */
function isKnown({ accepted, refused }: Variants): boolean {
  return accepted.length > 0 && refused.length > 0;
}

interface Pair {
  readonly first: OverlapUnit;
  readonly second: OverlapUnit;
  readonly kind: string;
  readonly a: Variants;
  readonly b: Variants;
}

/** Paths that a rule looks at in objects of a kind, as text. */
function fieldsOf(unit: OverlapUnit, kind: string, env: OverlapEnv): readonly string[] {
  return [
    ...new Set(
      tries(unit, kind, env)
        .flat()
        .map((e) => toDotted(e.path)),
    ),
  ];
}

function shareField(a: readonly string[], b: readonly string[]): boolean {
  const within = (x: string, y: string) => x === y || x.startsWith(`${y}.`) || x.startsWith(`${y}[`);
  return a.some((x) => b.some((y) => within(x, y) || within(y, x)));
}

function checks(pair: Pair, env: OverlapEnv): readonly Overlap[] {
  const { first, second, kind, a, b } = pair;
  const pool = [...tries(first, kind, env), ...tries(second, kind, env)];
  const lists = [
    ...pool,
    ...[...a.accepted, ...a.refused].flatMap((x) => [...b.accepted, ...b.refused].flatMap((y) => combined(x, y, []))),
    ...a.accepted.flatMap((x) => b.accepted.flatMap((y) => combined(x, y, pool))),
  ];
  const witnesses = lists.map((edits): Witness => {
    const object = editedObject(kind, edits, env);
    return { object, first: judge(first, object, env), second: judge(second, object, env) };
  });
  const relation = relate(witnesses, disagreement(a, b));
  return relation === undefined ? [] : [named(relation, pair, witnesses.length)];
}

/** A field that whoever wants to please both would have to set to two values. */
function disagreement(a: Variants, b: Variants): JsonPath | undefined {
  return a.accepted.flatMap((x) => b.accepted.flatMap((y) => conflicts(x, y)))[0];
}

interface Relation {
  readonly type: Overlap["type"];
  readonly swapped: boolean;
  readonly witnesses: readonly Witness[];
  readonly field?: string;
}

function relate(witnesses: readonly Witness[], field: JsonPath | undefined): Relation | undefined {
  const find = (first: Verdict, second: Verdict) => witnesses.find((w) => w.first === first && w.second === second);
  const both = find("fail", "fail");
  const firstMore = find("fail", "pass") ?? find("fail", "none");
  const secondMore = find("pass", "fail") ?? find("none", "fail");
  if (both !== undefined && firstMore === undefined && secondMore === undefined) {
    return { type: "duplicate", swapped: false, witnesses: [both] };
  }
  if (both !== undefined && firstMore === undefined && secondMore !== undefined) {
    return { type: "shadowed", swapped: false, witnesses: [both, secondMore] };
  }
  if (both !== undefined && secondMore === undefined && firstMore !== undefined) {
    return { type: "shadowed", swapped: true, witnesses: [both, firstMore] };
  }
  const onlyFirst = find("fail", "pass");
  const onlySecond = find("pass", "fail");
  if (field === undefined || find("pass", "pass") !== undefined || onlyFirst === undefined || onlySecond === undefined)
    return undefined;
  return { type: "contradictory", swapped: false, witnesses: [onlyFirst, onlySecond], field: toDotted(field) };
}

function nameOf(unit: OverlapUnit): RuleName {
  return { policy: policyName(unit.policy.id), rule: unit.rule };
}

function named({ type, swapped, witnesses, field }: Relation, { first, second }: Pair, tried: number): Overlap {
  const turned = swapped ? witnesses.map(({ object, first: f, second: s }) => ({ object, first: s, second: f })) : witnesses;
  const [one, other] = swapped ? [second, first] : [first, second];
  return { type, first: nameOf(one), second: nameOf(other), witnesses: turned, tried, ...(field === undefined ? {} : { field }) };
}

/** Changes that undo each other, and changes that another rule then refuses. */
function changes(first: OverlapUnit, second: OverlapUnit, kind: string, env: OverlapEnv): readonly Overlap[] {
  const objects = [...tries(first, kind, env), ...tries(second, kind, env)].map((edits) => editedObject(kind, edits, env));
  const base = { first: nameOf(first), second: nameOf(second), tried: objects.length };
  if (first.type === "mutate" && second.type === "mutate") {
    const object = objects.find(
      (o) => !jsonEquals(mutated(second, mutated(first, o, env), env), mutated(first, mutated(second, o, env), env)),
    );
    return object === undefined
      ? []
      : [{ ...base, type: "order-dependent", witnesses: [{ object, first: "pass", second: "pass" }] }];
  }
  const [change, check] = first.type === "mutate" ? [first, second] : [second, first];
  const object = objects.find((o) => judge(check, o, env) === "pass" && judge(check, mutated(change, o, env), env) === "fail");
  if (object === undefined) return [];
  const verdicts = { first: first === check ? "fail" : "pass", second: second === check ? "fail" : "pass" } as const;
  return [{ ...base, type: "contradictory", witnesses: [{ object, ...verdicts }] }];
}
