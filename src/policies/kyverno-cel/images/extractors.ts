import type { KubernetesTarget } from "../../../core/action.ts";
import { asString, isArray, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { Activation } from "../../../languages/cel/compile/frame.ts";
import type { Env } from "../../../languages/cel/env.ts";
import { dynType, listOf, stringType } from "../../../languages/cel/types.ts";
import { toJson } from "../../../languages/cel/values/json.ts";
import { CelError } from "../../../languages/cel/values/value.ts";
import type { CelSession, CompiledExpression } from "../../cel/expression.ts";
import { ExpressionCompiler } from "../../cel/expression-compiler.ts";
import type { DocumentReport } from "../../kyverno/report.ts";
import { evaluateNow } from "../gate.ts";

/** Images by the list they stand in. */
export type ImageLists = { readonly [list: string]: readonly string[] };

/** @throws Error where an expression cannot be evaluated or gives no texts */
export type ImageExtraction = (target: KubernetesTarget, session: CelSession, variables: Activation) => ImageLists;

interface Extractor {
  readonly name: string;
  readonly expression: CompiledExpression;
}

const resultTypes = [listOf(stringType), listOf(dynType), dynType];
const containerLists = ["containers", "initContainers", "ephemeralContainers"] as const;

const podPaths = { pod: "", template: "template.spec.", cronJob: "jobTemplate.spec.template.spec." } as const;
type PodPath = keyof typeof podPaths;

/** Kinds, of version v1, in which images are found without being told where. */
const podHolders: { readonly [groupKind: string]: PodPath } = {
  "/Pod": "pod",
  "apps/Deployment": "template",
  "apps/StatefulSet": "template",
  "apps/DaemonSet": "template",
  "apps/ReplicaSet": "template",
  "batch/Job": "template",
  "batch/CronJob": "cronJob",
};

function podPathOf({ group, version, kind }: KubernetesTarget): PodPath | undefined {
  const key = `${group}/${kind}`;
  return version === "v1" && Object.hasOwn(podHolders, key) ? podHolders[key] : undefined;
}

function imagesIn({ name, expression }: Extractor, session: CelSession, variables: Activation): readonly string[] {
  const value = toJson(evaluateNow(expression, session, variables));
  if (!(value instanceof CelError) && isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new Error(`the image extractor ${name} gives no list of texts`);
}

/** Compiles `images`, beside which the containers of the built-in kinds are always looked at. */
export function compileExtractors(
  specs: JsonValue | undefined,
  env: Env,
  path: JsonPath,
  report: DocumentReport,
): ImageExtraction {
  const compiler = new ExpressionCompiler(report);
  const own = (isArray(specs) ? specs : []).flatMap((spec, i): Extractor[] => {
    const place = [...path, i, "expression"];
    const expression = compiler.compile(member(spec, "expression"), env, resultTypes, place);
    return expression === undefined ? [] : [{ name: asString(member(spec, "name")) ?? "", expression }];
  });
  const builtIn = new Map<PodPath, readonly Extractor[]>();
  const extractorsFor = (podPath: PodPath): readonly Extractor[] => {
    let extractors = builtIn.get(podPath);
    if (extractors === undefined) {
      extractors = containerLists.flatMap((name): Extractor[] => {
        const list = `(object != null ? object : oldObject).spec.${podPaths[podPath]}?${name}`;
        const expression = compiler.compile(`${list}.orValue([]).map(e, e.image)`, env, resultTypes, path);
        return expression === undefined ? [] : [{ name, expression }];
      });
      builtIn.set(podPath, extractors);
    }
    return extractors;
  };
  return (target, session, variables) => {
    const podPath = podPathOf(target);
    const all = [...(podPath === undefined ? [] : extractorsFor(podPath)), ...own];
    const byName = new Map(all.map((extractor) => [extractor.name, extractor]));
    return Object.fromEntries([...byName].map(([name, extractor]) => [name, imagesIn(extractor, session, variables)]));
  };
}
