import { Env, type EnvOptions, type EnvParts } from "../../env.ts";
import { durationLiterals, homogeneousLiterals, regexLiterals, timestampLiterals } from "../../validators.ts";
import { listsLibrary } from "../lists.ts";
import { cidrLibrary, ipLibrary } from "../network.ts";
import { optionalLibrary } from "../optional.ts";
import { setsLibrary } from "../sets.ts";
import { durationOfIntLibrary, standardLibrary } from "../standard.ts";
import { stringsLibrary } from "../strings.ts";
import { twoVariableLibrary } from "../two-variable.ts";
import { authorizerLibrary, authorizerSelectorsLibrary } from "./authorizer.ts";
import { kubernetesCosts } from "./cost.ts";
import { formatLibrary } from "./format.ts";
import { kubernetesListsLibrary } from "./lists.ts";
import { quantityLibrary } from "./quantity.ts";
import { kubernetesRegexLibrary } from "./regex.ts";
import { semverLibrary } from "./semver.ts";
import { urlLibrary } from "./url.ts";

/** Minor versions of Kubernetes 1.x; the newest one this implementation follows. */
export const newestMinor = 37;

/** What evaluating one expression may cost. */
export const perCallLimit = 1_000_000;

/** Something an environment has from one minor version on, up to another. */
export interface Versioned {
  readonly introduced: number;
  /** The first minor version without it. */
  readonly removed?: number;
  readonly parts: EnvParts;
}

/**
 * The API server accepts new expressions that the version before it understands too, and runs stored ones
 * with all that it knows itself.
 */
export interface Environments {
  readonly compatibility: number;
  readonly newExpressions: Env;
  readonly storedExpressions: Env;
}

/** As an API server of minor version `server` (its cel-go) evaluates. */
function baseOptions(server: number): Partial<EnvOptions> {
  // Kubernetes 1.37 came with cel-go 0.29, the releases before with 0.26.
  const recent = server >= 37;
  return {
    crossTypeComparisons: false,
    quotedFields: false,
    presenceTestCosts: false,
    lenientOptionals: !recent,
    dottedLocals: !recent,
    costRules: { affixByArgument: recent },
    costModel: kubernetesCosts,
  };
}

function history(server: number): readonly Versioned[] {
  const recent = server >= 37;
  const offsets = recent ? "clamped" : "free";
  return [
    { introduced: 0, parts: { libraries: [urlLibrary, kubernetesRegexLibrary], validators: [homogeneousLiterals] } },
    { introduced: 0, removed: 37, parts: { libraries: [kubernetesListsLibrary(0)] } },
    { introduced: 27, parts: { libraries: [authorizerLibrary] } },
    { introduced: 28, parts: { libraries: [optionalLibrary(2), quantityLibrary], options: { crossTypeComparisons: true } } },
    { introduced: 29, parts: { validators: [durationLiterals, timestampLiterals, regexLiterals] } },
    { introduced: 0, removed: 29, parts: { libraries: [stringsLibrary(0, offsets)] } },
    { introduced: 29, parts: { libraries: [stringsLibrary(2, offsets), setsLibrary] } },
    { introduced: 30, parts: { libraries: [ipLibrary("kubernetes"), cidrLibrary("kubernetes")] } },
    { introduced: 31, parts: { libraries: [formatLibrary, authorizerSelectorsLibrary] } },
    { introduced: 32, parts: { libraries: [twoVariableLibrary] } },
    { introduced: 33, parts: { libraries: [semverLibrary(1)] } },
    { introduced: 34, parts: { libraries: [listsLibrary(3, recent)] } },
    { introduced: 37, parts: { libraries: [kubernetesListsLibrary(1)] } },
  ].flatMap((versioned) => upTo(server, versioned));
}

/** What a later server removes is still there. */
function upTo(server: number, { introduced, removed, parts }: Versioned): readonly Versioned[] {
  if (introduced > server) return [];
  return [removed === undefined || removed > server ? { introduced, parts } : { introduced, removed, parts }];
}

function applied(env: Env, options: readonly Versioned[], minor: number): Env {
  return options
    .filter(({ introduced, removed }) => introduced <= minor && (removed === undefined || minor < removed))
    .reduce((extended, { parts }) => extended.extend(parts), env);
}

/** The environments with more in them. */
export function extendEnvironments(environments: Environments, options: readonly Versioned[]): Environments {
  const { compatibility, newExpressions, storedExpressions } = environments;
  return {
    compatibility,
    newExpressions: applied(newExpressions, options, compatibility),
    storedExpressions: applied(storedExpressions, options, Number.POSITIVE_INFINITY),
  };
}

/**
 * The environments all expressions of Kubernetes share, without variables.
 * @param compatibility minor version that new expressions are to be understood by
 * @param server minor version of the API server that evaluates
 */
export function kubernetesEnvironments(compatibility: number, server: number = newestMinor): Environments {
  const standard = server >= 37 ? [standardLibrary] : [standardLibrary, durationOfIntLibrary];
  const base = new Env({ libraries: standard, options: baseOptions(server) });
  return extendEnvironments({ compatibility, newExpressions: base, storedExpressions: base }, history(server));
}
