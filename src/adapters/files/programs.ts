import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const timeoutMilliseconds = 60_000;
const maximumOutputBytes = 64 * 1024 * 1024;

/** The first program of these names that is found, with its full path; in the order of names. */
export function findProgram(
  names: readonly string[],
  searchPath: string,
): { readonly name: string; readonly path: string } | undefined {
  for (const name of names) {
    for (const directory of searchPath.split(delimiter)) {
      const path = join(directory, process.platform === "win32" ? `${name}.exe` : name);
      if (directory !== "" && isExecutable(path)) return { name, path };
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export type ProgramResult = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly message: string };

/** Runs a program, without a shell and for a minute at most; `message` is the end of what it wrote to standard error. */
export function runProgram(path: string, args: readonly string[]): Promise<ProgramResult> {
  const options = { timeout: timeoutMilliseconds, maxBuffer: maximumOutputBytes, windowsHide: true };
  return new Promise((done) => {
    execFile(path, args, options, (error, output, errors) => {
      if (error === null) done({ ok: true, output });
      else if (error.killed === true) done({ ok: false, message: `it was still running after ${timeoutMilliseconds / 1000} s` });
      else done({ ok: false, message: lastLines(errors) || error.message });
    });
  });
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-3).join("; ");
}
