import { operators } from "../ast.ts";
import { type FunctionDeclaration, type Overload, signature } from "../declarations.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  stringType,
  timestampType,
  uintType,
} from "../types.ts";
import { compareValues } from "../values/order.ts";
import { refused } from "../values/traits.ts";
import { CelError } from "../values/value.ts";

const ordered: readonly (readonly [suffix: string, left: CelType, right: CelType])[] = [
  ["bool", boolType, boolType],
  ["int64", intType, intType],
  ["int64_double", intType, doubleType],
  ["int64_uint64", intType, uintType],
  ["uint64", uintType, uintType],
  ["uint64_double", uintType, doubleType],
  ["uint64_int64", uintType, intType],
  ["double", doubleType, doubleType],
  ["double_int64", doubleType, intType],
  ["double_uint64", doubleType, uintType],
  ["string", stringType, stringType],
  ["bytes", bytesType, bytesType],
  ["timestamp", timestampType, timestampType],
  ["duration", durationType, durationType],
];

const relations = [
  [operators.less, "less"],
  [operators.lessEquals, "less_equals"],
  [operators.greater, "greater"],
  [operators.greaterEquals, "greater_equals"],
] as const;

/** Overloads that compare numbers of different types, which an environment may leave out. */
export const crossTypeComparisons: ReadonlySet<string> = new Set(
  relations.flatMap(([, prefix]) => ordered.filter(([, left, right]) => left !== right).map(([suffix]) => `${prefix}_${suffix}`)),
);

const holds: Record<(typeof relations)[number][0], (order: number) => boolean> = {
  [operators.less]: (order) => order < 0,
  [operators.lessEquals]: (order) => order <= 0,
  [operators.greater]: (order) => order > 0,
  [operators.greaterEquals]: (order) => order >= 0,
};

/** `<`, `<=`, `>` and `>=`. */
export const comparisonFunctions: readonly FunctionDeclaration[] = relations.map(([name, prefix]) => {
  const overloads: readonly Overload[] = ordered.map(([suffix, left, right]) =>
    signature(`${prefix}_${suffix}`, [left, right], boolType),
  );
  const test = holds[name];
  return {
    name,
    overloads,
    implementation: {
      arity: 2,
      call: (a, b) => {
        const order = compareValues(a, b);
        if (!(order instanceof CelError)) return test(order);
        return order.message === "no such overload" ? refused(name, "compare", a) : order;
      },
    },
  };
});
