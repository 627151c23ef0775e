import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  integerQuantity,
  parseQuantity,
  type Quantity,
  quantityProblem,
  quantityToInteger,
  quantityToNumber,
  subtractQuantities,
} from "../../../../core/quantity.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload } from "../../declarations.ts";
import { boolType, type CelType, type CelTypeOf, doubleType, intType, stringType, structType } from "../../types.ts";
import { makeDouble, makeInt } from "../../values/numbers.ts";
import { CelError, CelObject, type CelValue, type Int, noSuchOverload, type Value } from "../../values/value.ts";

const quantityType: CelTypeOf<QuantityValue> = structType("kubernetes.Quantity");
const int: CelTypeOf<Int> = intType;

class QuantityValue extends CelObject {
  readonly quantity: Quantity;
  /** The result of `add` or `sub`: an API server cannot compare anything with it (`==` fails), only it with others. */
  readonly #computed: boolean;

  constructor(quantity: Quantity, computed = false) {
    super();
    this.quantity = quantity;
    this.#computed = computed;
  }

  get type(): CelType {
    return quantityType;
  }

  equals(other: CelValue): boolean | CelError {
    if (!(other instanceof QuantityValue) || other.#computed) return noSuchOverload();
    return compareQuantities(this.quantity, other.quantity) === 0;
  }

  override toJson(): string {
    return formatQuantity(this.quantity);
  }
}

function toQuantity(text: string): Value {
  const quantity = parseQuantity(text);
  return quantity === undefined ? new CelError(quantityProblem(text)) : new QuantityValue(quantity);
}

function toInteger({ quantity }: QuantityValue): Value {
  const value = quantityToInteger(quantity);
  return value === undefined ? new CelError("cannot convert value to integer") : makeInt(value);
}

function sign({ quantity }: QuantityValue): number {
  return quantity.unscaled < 0n ? -1 : quantity.unscaled > 0n ? 1 : 0;
}

type Combine = (a: Quantity, b: Quantity) => Quantity;

function arithmetic(name: string, id: string, combine: Combine): FunctionDeclaration {
  const compute = (a: QuantityValue, b: Quantity) => new QuantityValue(combine(a.quantity, b), true);
  return {
    name,
    overloads: [
      memberOverload(id, [quantityType, quantityType], quantityType, (a, b) => compute(a, b.quantity)),
      memberOverload(`${id}_int`, [quantityType, int], quantityType, (a, b) =>
        compute(a, integerQuantity(BigInt(b), "DecimalExponent")),
      ),
    ],
  };
}

function comparison(name: string, id: string, result: CelType, read: (order: number) => Value): FunctionDeclaration {
  const compute = (a: QuantityValue, b: QuantityValue) => read(compareQuantities(a.quantity, b.quantity));
  return { name, overloads: [memberOverload(id, [quantityType, quantityType], result, compute)] };
}

export const quantityLibrary: Library = {
  name: "kubernetes.quantity",
  functions: [
    { name: "quantity", overloads: [overload("string_to_quantity", [stringType], quantityType, toQuantity)] },
    {
      name: "isQuantity",
      overloads: [overload("is_quantity_string", [stringType], boolType, (text) => parseQuantity(text) !== undefined)],
    },
    { name: "sign", overloads: [overload("quantity_sign", [quantityType], intType, sign)] },
    comparison("isGreaterThan", "quantity_is_greater_than", boolType, (order) => order > 0),
    comparison("isLessThan", "quantity_is_less_than", boolType, (order) => order < 0),
    comparison("compareTo", "quantity_compare_to", intType, (order) => order),
    {
      name: "asApproximateFloat",
      overloads: [
        memberOverload("quantity_get_float", [quantityType], doubleType, (value) => makeDouble(quantityToNumber(value.quantity))),
      ],
    },
    { name: "asInteger", overloads: [memberOverload("quantity_get_int", [quantityType], intType, toInteger)] },
    {
      name: "isInteger",
      overloads: [
        memberOverload(
          "quantity_is_integer",
          [quantityType],
          boolType,
          (value) => quantityToInteger(value.quantity) !== undefined,
        ),
      ],
    },
    arithmetic("add", "quantity_add", addQuantities),
    arithmetic("sub", "quantity_sub", subtractQuantities),
  ],
};
