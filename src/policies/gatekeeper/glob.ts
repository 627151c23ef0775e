/**
 * Whether a text fits a Gatekeeper glob: a `*` at the front and one at the end stand for anything, others for themselves.
 */
export function fitsGlob(glob: string, text: string): boolean {
  const front = glob.startsWith("*");
  const end = glob.endsWith("*");
  if (front && end) return text.includes(glob.length < 2 ? "" : glob.slice(1, -1));
  if (front) return text.endsWith(glob.slice(1));
  return end ? text.startsWith(glob.slice(0, -1)) : text === glob;
}

/** As {@link fitsGlob}, for the beginning of a name whose end the API server will make up. */
export function fitsGeneratedName(glob: string, generateName: string): boolean {
  return glob.endsWith("*") && fitsGlob(glob, generateName);
}
