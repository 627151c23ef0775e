import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compileMatchCondition } from "../../../src/access/authorization/match-condition.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { type Corpus, expectJson, failure } from "../corpus.ts";
import { jsonFiles } from "../rbac-oracle.ts";

interface Row {
  readonly expression: string;
  readonly compileError?: string;
  readonly results?: readonly { readonly review: string; readonly match?: boolean; readonly error?: string }[];
}

/** Match conditions of authorization webhooks, and what the API server's matcher makes of them. */
export const corpus: Corpus = {
  name: "authz-cel",
  folder: "rbac/oracle/authz-cel",
  async *cases(directory) {
    const reviews: { readonly [name: string]: JsonObject } = JSON.parse(
      await readFile(join(directory, "..", "fixtures", "authz-cel-reviews.json"), "utf8"),
    );
    for (const { id, value } of await jsonFiles<Row>(directory)) {
      const { expression, compileError, results = [] } = value;
      if (compileError !== undefined) {
        yield {
          id,
          run: () => {
            const compiled = compileMatchCondition(expression);
            return compiled.ok ? failure("compiled") : expectJson(compiled.message, compileError);
          },
        };
      }
      for (const { review, match, error } of results) {
        yield {
          id: `${id}/${review}`,
          run: () => {
            const compiled = compileMatchCondition(expression);
            if (!compiled.ok) return failure(compiled.message);
            const got = compiled.evaluate(reviews[review] ?? {});
            return expectJson(
              got.ok ? { match: got.matches } : { error: got.message },
              error === undefined ? { match } : { error },
            );
          },
        };
      }
    }
  },
};
