import { reflectionBuiltins } from "../reflection/builtins.ts";
import { aggregateBuiltins } from "./aggregates.ts";
import { arithmeticBuiltins } from "./arithmetic.ts";
import { arrayBuiltins } from "./arrays.ts";
import { awsBuiltin } from "./aws-signature.ts";
import type { Builtin } from "./builtin.ts";
import { castBuiltins } from "./casts.ts";
import { cidrBuiltins } from "./cidr.ts";
import { comparisonBuiltins } from "./comparison.ts";
import { hashBuiltins } from "./crypto/hashes.ts";
import { jwtBuiltins } from "./crypto/jwt.ts";
import { privateKeyBuiltins } from "./crypto/private-keys.ts";
import { x509Builtins } from "./crypto/x509.ts";
import { encodingBuiltins } from "./encoding.ts";
import { globBuiltins } from "./glob.ts";
import { graphBuiltins } from "./graph.ts";
import { graphqlBuiltins } from "./graphql/graphql.ts";
import { jsonPatchBuiltin } from "./json-patch.ts";
import { jsonPathBuiltins } from "./json-paths.ts";
import { schemaBuiltins } from "./json-schema/schema.ts";
import { jsonTextBuiltins } from "./json-text.ts";
import { numberBuiltins } from "./numbers.ts";
import { objectBuiltins } from "./objects.ts";
import { outputBuiltins } from "./output.ts";
import { outsideBuiltins } from "./outside.ts";
import { regexBuiltins } from "./regex.ts";
import { semverBuiltins } from "./semver.ts";
import { setBuiltins } from "./sets.ts";
import { sprintfBuiltin } from "./sprintf.ts";
import { affixBuiltins } from "./string-affixes.ts";
import { replaceBuiltins } from "./string-replace.ts";
import { trimBuiltins } from "./string-trim.ts";
import { stringBuiltins } from "./strings.ts";
import { templateBuiltin } from "./template/template.ts";
import { timeBuiltins } from "./time.ts";
import { unitBuiltins } from "./units.ts";
import { urlBuiltins } from "./url.ts";
import { uuidBuiltins } from "./uuid.ts";
import { walkBuiltin } from "./walk.ts";
import { yamlBuiltins } from "./yaml.ts";

const all: readonly Builtin[] = [
  ...comparisonBuiltins,
  ...arithmeticBuiltins,
  ...aggregateBuiltins,
  ...arrayBuiltins,
  ...setBuiltins,
  ...objectBuiltins,
  ...castBuiltins,
  ...numberBuiltins,
  ...stringBuiltins,
  ...affixBuiltins,
  ...trimBuiltins,
  ...replaceBuiltins,
  sprintfBuiltin,
  templateBuiltin,
  ...regexBuiltins,
  ...globBuiltins,
  ...encodingBuiltins,
  ...jsonTextBuiltins,
  ...jsonPathBuiltins,
  jsonPatchBuiltin,
  ...schemaBuiltins,
  ...urlBuiltins,
  ...unitBuiltins,
  ...semverBuiltins,
  ...uuidBuiltins,
  ...timeBuiltins,
  ...cidrBuiltins,
  ...graphBuiltins,
  ...hashBuiltins,
  ...jwtBuiltins,
  ...x509Builtins,
  ...privateKeyBuiltins,
  walkBuiltin,
  ...yamlBuiltins,
  ...graphqlBuiltins,
  ...outputBuiltins,
  ...outsideBuiltins,
  awsBuiltin,
  ...reflectionBuiltins,
];

/** All builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(all.map((builtin) => [builtin.name, builtin]));
