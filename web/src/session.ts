import { type Answer, askAgain, useAnswer } from "./api.ts";

type SessionUser = Answer<"/api/v1/session">["user"];

/** Who is logged in; undefined until that is known, or nobody. */
export const useUser = (): SessionUser | undefined => useAnswer("/api/v1/session").value?.user;

type Role = NonNullable<SessionUser>["roles"][number];

/** As the server judges it: an admin may everything, whoever has a role may view. */
export function mayAct(user: SessionUser | undefined, needed: Role): boolean {
  if (user === undefined) return false;
  return user.roles.includes("admin") || (needed === "viewer" ? user.roles.length > 0 : user.roles.includes(needed));
}

export const isAdministrator = (user: SessionUser | undefined): boolean => mayAct(user, "admin");

/** What became of an action: done, or what the server says against it. */
export type Done<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: string; readonly message: string };

let csrfToken: Promise<string> | undefined;

async function newCsrfToken(): Promise<string> {
  const response = await fetch("/api/v1/session", { headers: { accept: "application/json" } });
  const body: { readonly csrfToken?: string; readonly message?: string } = await response.json();
  if (!response.ok || body.csrfToken === undefined) throw new Error(body.message ?? "nobody is logged in");
  return body.csrfToken;
}

/** Does something on the server: always by POST or DELETE, always with the token of this session against cross-site requests. */
export async function act<T>(path: string, body: object | undefined = {}, method: "POST" | "DELETE" = "POST"): Promise<Done<T>> {
  try {
    return await send<T>(path, body, method, true);
  } catch (error) {
    // Whether the server has heard it is not known: nothing is shown as done.
    const message = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      code: "UNREACHABLE",
      message: `The server did not answer (${message}). See whether it was done before you try again.`,
    };
  }
}

async function send<T>(path: string, body: object | undefined, method: string, mayRenew: boolean): Promise<Done<T>> {
  csrfToken ??= newCsrfToken();
  const token = await csrfToken.catch((error: unknown) => {
    csrfToken = undefined;
    throw error;
  });
  const headers = { accept: "application/json", "csrf-token": token };
  const response = await fetch(
    path,
    body === undefined
      ? { method, headers }
      : { method, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) },
  );
  const text = await response.text();
  const answer = text === "" ? undefined : parsed(text);
  if (response.ok) {
    askAgain();
    return { ok: true, value: answer as T };
  }
  const message = textMember(answer, "message") ?? `the server answered ${response.status}`;
  if (response.status === 403 && mayRenew && /csrf/i.test(message)) {
    // Another login in this browser: its session has another token.
    csrfToken = undefined;
    return send(path, body, method, false);
  }
  return { ok: false, code: textMember(answer, "code") ?? String(response.status), message };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textMember(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof found === "string" ? found : undefined;
}
