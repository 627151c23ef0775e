import type { FastifyRequest } from "fastify";
import type { User } from "./session.ts";

const users = new WeakMap<FastifyRequest, User>();

/** Said once, by the check that every request passes. */
export function setRequestUser(request: FastifyRequest, user: User): void {
  users.set(request, user);
}

/** Undefined: the route is open, or the request was refused before it was known who sent it. */
export const knownUser = (request: FastifyRequest): User | undefined => users.get(request);

/** Whoever sent a request that passed the check; the open routes have nobody. */
export function requestUser(request: FastifyRequest): User {
  const user = users.get(request);
  if (user === undefined) throw new Error("the route is open to nobody");
  return user;
}
