export { check } from "./checker.ts";
export { Env, variable } from "./env.ts";
export { standardLibrary } from "./libraries/standard.ts";
export { parse } from "./parser.ts";
export { compile, type Program } from "./program.ts";
