/** Text as HTML shows it. */
export function escaped(text: string): string {
  const entities: { readonly [character: string]: string } = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#16191d;background:#fff}
h1{font-size:1.4rem}button,.button{font:inherit;padding:.5rem 1.2rem;border:1px solid #1456b8;border-radius:6px;background:#1456b8;color:#fff;cursor:pointer;text-decoration:none}
button.plain{background:none;color:#1456b8}input[type=text]{font:inherit;padding:.5rem;border:1px solid #70757d;border-radius:6px}code{font-size:1.2em}
@media(prefers-color-scheme:dark){body{color:#e8eaed;background:#16191d}button.plain,a:not(.button){color:#8ab4f8}}`;

/** A whole page; `body` is HTML. Nothing of it runs, and no other page may show it in a frame. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(title)} - Castellan</title><style>${style}</style></head>
<body><main><h1>${escaped(title)}</h1>
${body}
</main></body></html>`;
}

export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  // No form-action: a browser would hold back the redirect to the command line's own listener.
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
} as const;

export interface Confirmation {
  readonly user: string;
  readonly action: string;
  readonly csrf: string;
  /** A command line elsewhere that shows a code, not one on this computer. */
  readonly isDevice: boolean;
}

/** Asks whether a command line may act as who is logged in. */
export function confirmationPage({ user, action, csrf, isDevice }: Confirmation): string {
  const who = isDevice
    ? "A <strong>castellan</strong> command line that showed you a code"
    : "The <strong>castellan</strong> command line on this computer";
  return page(
    "Log in the command line",
    `<p>${who} asks to act as <strong>${escaped(user)}</strong>, until this session ends.</p>
<p>Go on only if you have just run <code>castellan login</code> yourself.</p>
<form method="post" action="${escaped(action)}"><input type="hidden" name="_csrf" value="${escaped(csrf)}">
<button name="answer" value="allow">Allow</button> <button class="plain" name="answer" value="refuse">Refuse</button></form>`,
  );
}

/** Who may log in by name, where nobody is logged in. */
export function developmentLoginPage(names: readonly string[], back: string | undefined): string {
  const query = back === undefined ? "" : `?return=${encodeURIComponent(back)}`;
  const link = (name: string) => `<li><a href="/login/as/${encodeURIComponent(name)}${query}">${escaped(name)}</a></li>`;
  return page("Who are you?", `<p>For development, people log in by their name.</p><ul>${names.map(link).join("")}</ul>`);
}

/** `form` is the library's, with the token against cross-site requests. */
export function codeInputPage(form: string, problem: string | undefined): string {
  const said = problem === undefined ? "" : `<p role="alert">${escaped(problem)}</p>`;
  return page(
    "Log in another computer",
    `${said}<p>Type the code that <code>castellan login --device</code> shows.</p>${form}
<p><button form="op.deviceInputForm">Continue</button></p>`,
  );
}

export function codeConfirmationPage(form: string, code: string): string {
  return page(
    "Is this the code?",
    `<p><code>${escaped(code)}</code></p><p>It must be what <code>castellan login --device</code> shows on a computer before you.
Whoever sent you this address instead wants to act in your name.</p>${form}
<p><button form="op.deviceConfirmForm">It is</button>
<button class="plain" form="op.deviceConfirmForm" name="abort" value="yes">It is not</button></p>`,
  );
}
