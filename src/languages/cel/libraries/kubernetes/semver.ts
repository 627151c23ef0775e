import {
  compareSemver,
  formatSemver,
  normalizeSemver,
  parseSemver,
  type SemanticVersion,
  semverProblem,
} from "../../../../core/semver.ts";
import { type FunctionDeclaration, type Library, memberOverload, overload } from "../../declarations.ts";
import { boolType, type CelType, type CelTypeOf, intType, stringType, structType } from "../../types.ts";
import { makeInt } from "../../values/numbers.ts";
import { CelError, CelObject, type CelValue, noSuchOverload, type Value } from "../../values/value.ts";

const semverType: CelTypeOf<Semver> = structType("kubernetes.Semver");

class Semver extends CelObject {
  readonly version: SemanticVersion;

  constructor(version: SemanticVersion) {
    super();
    this.version = version;
  }

  get type(): CelType {
    return semverType;
  }

  equals(other: CelValue): boolean | CelError {
    return other instanceof Semver ? compareSemver(this.version, other.version) === 0 : noSuchOverload();
  }

  override toJson(): string {
    return formatSemver(this.version);
  }
}

function toSemver(text: string, normalize: boolean): Semver | CelError {
  const meant = normalize ? normalizeSemver(text) : text;
  if (meant === undefined) return new CelError("short version cannot contain PreRelease/Build meta data");
  const version = parseSemver(meant);
  return version === undefined ? new CelError(semverProblem(meant)) : new Semver(version);
}

function isSemver(text: string, normalize: boolean): boolean {
  return !(toSemver(text, normalize) instanceof CelError);
}

/** Numbers have 64 bits without a sign; as ints the large ones turn negative. */
function part(name: "major" | "minor" | "patch"): FunctionDeclaration {
  const read = ({ version }: Semver) => makeInt(BigInt.asIntN(64, BigInt(version[name])));
  return { name, overloads: [memberOverload(`semver_${name}`, [semverType], intType, read)] };
}

function comparison(name: string, id: string, result: CelType, read: (order: number) => Value): FunctionDeclaration {
  const compute = (a: Semver, b: Semver) => read(Math.sign(compareSemver(a.version, b.version)));
  return { name, overloads: [memberOverload(id, [semverType, semverType], result, compute)] };
}

/** Kubernetes' semantic versions; 1 (Kubernetes 1.33) adds normalization. */
export function semverLibrary(version: number): Library {
  const normalizing = version >= 1;
  return {
    name: "kubernetes.Semver",
    functions: [
      {
        name: "semver",
        overloads: [
          overload("string_to_semver", [stringType], semverType, (text) => toSemver(text, false)),
          ...(normalizing ? [overload("string_bool_to_semver", [stringType, boolType], semverType, toSemver)] : []),
        ],
      },
      {
        name: "isSemver",
        overloads: [
          overload("is_semver_string", [stringType], boolType, (text) => isSemver(text, false)),
          ...(normalizing ? [overload("is_semver_string_bool", [stringType, boolType], boolType, isSemver)] : []),
        ],
      },
      comparison("isGreaterThan", "semver_is_greater_than", boolType, (order) => order > 0),
      comparison("isLessThan", "semver_is_less_than", boolType, (order) => order < 0),
      comparison("compareTo", "semver_compare_to", intType, (order) => order),
      part("major"),
      part("minor"),
      part("patch"),
    ],
  };
}
