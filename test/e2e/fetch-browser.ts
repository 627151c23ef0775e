export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** As much of a browser as a login needs: cookies by origin, redirects, pages that go on by themselves, forms. */
export class FetchBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  setCookies: string[] = [];

  async open(url: string, init: RequestInit = {}): Promise<Page> {
    const { origin } = new URL(url);
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
    for (const line of response.headers.getSetCookie()) {
      this.setCookies.push(line);
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    if (location !== null && response.status < 400) return this.open(new URL(location, url).href);
    const text = await response.text();
    const refresh = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(text)?.[1];
    return refresh === undefined ? { url, status: response.status, text } : this.open(new URL(refresh, url).href);
  }

  submit(url: string, fields: { readonly [name: string]: string }): Promise<Page> {
    return this.open(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  }

  /** Sends the form of a page, with what its hidden fields hold. */
  send({ url, text }: Page, fields: { readonly [name: string]: string }): Promise<Page> {
    const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1] ?? url;
    const hidden = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const given = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
    return this.submit(new URL(action, url).href, { ...given, ...fields });
  }

  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name);
  }
}
