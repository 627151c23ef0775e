import { anyType, objectOf, setOf, stringType } from "../types/type.ts";
import type { Builtin } from "./builtin.ts";
import { requestProblem } from "./http-request.ts";
import { declared, failure, object, string, unary } from "./operand.ts";

const refused = (name: string) =>
  failure(`${name} is off: a policy's verdict may not hang on what the network answers while it is evaluated`);

/** Builtins that ask the world outside. They check their arguments and then refuse. */
export const outsideBuiltins: readonly Builtin[] = [
  unary(
    "http.send",
    declared(objectOf(stringType, anyType), object),
    objectOf(anyType, anyType),
    (request) => requestProblem(request) ?? refused("http.send"),
    { nondeterministic: true },
  ),
  unary("net.lookup_ip_addr", string, setOf(stringType), () => refused("net.lookup_ip_addr"), { nondeterministic: true }),
];
