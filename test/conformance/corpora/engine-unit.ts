import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonValue } from "../../../src/core/json.ts";
import { type Corpus, type Outcome, skipped } from "../corpus.ts";
import { celPolicyRows } from "../engine-unit/cel-policy-rows.ts";
import { celRows } from "../engine-unit/cel-rows.ts";
import { gatekeeperRows } from "../engine-unit/gatekeeper-rows.ts";
import { GoExpression, plain } from "../engine-unit/go-data.ts";
import { imageRows } from "../engine-unit/image-rows.ts";
import { jmespathRows } from "../engine-unit/jmespath-rows.ts";
import { matchRows } from "../engine-unit/match-rows.ts";
import { mutateRows } from "../engine-unit/mutate-rows.ts";
import { operatorRows } from "../engine-unit/operator-rows.ts";
import { patternRows } from "../engine-unit/pattern-rows.ts";
import type { RowJudge, RowJudges } from "../engine-unit/row.ts";

interface Row {
  readonly id: string;
  readonly row: JsonValue;
}

const judges: RowJudges = { ...jmespathRows, ...operatorRows, ...patternRows, ...matchRows, ...mutateRows, ...imageRows };

/** Of rows with Go code in them. */
const goJudges: RowJudges = { ...celRows, ...celPolicyRows, ...gatekeeperRows };

/** Families that nothing of ours stands for, by the start of their id. */
const others: readonly (readonly [string, string])[] = [
  ["gatekeeper/expansion/", "fixtures that only Gatekeeper's Go program holds"],
  ["gatekeeper/target/", "objects and match blocks that only Gatekeeper's Go program makes"],
  ["gatekeeper/mutation/", "Gatekeeper's metrics, certificates, providers and mutators made for one test"],
  ["gatekeeper/mutation_path_parser/TestDeepCopy", "copies of Gatekeeper's own nodes"],
  ["kyverno/engine_jmespath/TestFunctionEntry_String", "Kyverno's help text for its functions"],
  ["kyverno/engine_jmespath/TestFormatError", "Kyverno's error texts"],
  ["kyverno/engine_anchor/Test_validateAnchorError", "Kyverno's error values"],
  ["kyverno/engine_anchor/Test_new", "Kyverno's error values"],
  ["kyverno/engine_anchor/TestIsNegationAnchorError", "Kyverno's error values"],
  ["kyverno/engine_anchor/TestIsConditionalAnchorError", "Kyverno's error values"],
  ["kyverno/engine_anchor/TestIsGlobalAnchorError", "Kyverno's error values"],
  ["kyverno/engine_jmespath/Test_intNumber", "a conversion between Go's number types"],
  ["kyverno/engine_wildcards/TestGetValueAsStringMap", "a step inside Kyverno's reading of labels that ours does not have"],
  ["kyverno/engine_mutate_patch/Test_buffer", "Kyverno's byte buffers"],
  ["kyverno/utils_kube/TestConvertToUnstructured", "a conversion between Go types"],
];

function judgeOf(id: string): RowJudge | string {
  const other = others.find(([start]) => id.startsWith(start));
  if (other !== undefined) return other[1];
  const [, pkg = "", test = ""] = id.split("/");
  const judge = judges[`${pkg}/${test}`];
  return judge ?? `nothing of ours stands for ${pkg}/${test}`;
}

async function run({ id, row }: Row): Promise<Outcome> {
  const [, pkg = "", test = ""] = id.split("/");
  const ofGo = goJudges[`${pkg}/${test}`];
  const judge = ofGo ?? judgeOf(id);
  if (typeof judge === "string") return skipped(judge);
  try {
    return await judge(ofGo === undefined ? plain(row) : row);
  } catch (error) {
    if (error instanceof GoExpression) return skipped(error.message);
    throw error;
  }
}

/** Table rows of the engines' own unit tests, each run on the function of ours that does the same. */
export const corpus: Corpus = {
  name: "engine-unit",
  async *cases(directory) {
    const files = await readdir(directory, { recursive: true });
    for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
      const rows: readonly Row[] = JSON.parse(await readFile(join(directory, file), "utf8"));
      for (const row of rows) yield { id: row.id, run: () => run(row) };
    }
  },
};
