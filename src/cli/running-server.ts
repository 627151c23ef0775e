import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { UsageError } from "./command.ts";

const fileOf = (data: string) => join(data, "operator.json");

/** Leaves in the data directory how its owner reaches the server; answers how to take that away. */
export async function announceServer(data: string, url: string, token: string): Promise<() => Promise<void>> {
  await writeFile(fileOf(data), `${JSON.stringify({ url, token })}\n`, { mode: 0o600 });
  return () => rm(fileOf(data), { force: true });
}

export interface ServerAnswer {
  readonly status: number;
  readonly body: JsonValue;
}

/** Asks the server that runs with a data directory, as its operator. Throws `UsageError` where none runs. */
export async function askServer(data: string, path: string, body: JsonObject): Promise<ServerAnswer> {
  const text = await readFile(fileOf(data), "utf8").catch(() => undefined);
  const known: JsonValue = text === undefined ? null : JSON.parse(text);
  const url = asString(member(known, "url"));
  const token = asString(member(known, "token"));
  const nobody = `no server runs with ${data}: start castellan serve, or name its --data directory`;
  if (url === undefined || token === undefined) throw new UsageError(nobody);
  try {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const answer: JsonValue = await response.json().then(
      (value: unknown) => value as JsonValue,
      () => null,
    );
    return { status: response.status, body: answer };
  } catch (error) {
    throw new UsageError(nobody, { cause: error });
  }
}
