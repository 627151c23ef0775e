import { createTransport } from "nodemailer";
import type { Delivery, Notice, NoticeChannel } from "./notice.ts";

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte; `required`: STARTTLS or nothing; `none`: for a relay on this machine. */
  readonly tls: "implicit" | "required" | "none";
  /** PEM of an authority beside those that the system trusts. */
  readonly ca?: string | undefined;
  readonly login?: { readonly user: string; readonly password: string } | undefined;
}

const timeoutMilliseconds = 15_000;

/** Plain text by SMTP, to those whom the notice names and to `also`. */
export function email(server: SmtpServer, from: string, also: readonly string[]): NoticeChannel {
  return {
    send: async (notice) => {
      const to = [...new Set([...notice.to, ...also])];
      if (to.length === 0) return { ok: false, problem: "nobody has an address", retry: false };
      const transport = createTransport({
        host: server.host,
        port: server.port,
        secure: server.tls === "implicit",
        requireTLS: server.tls === "required",
        ignoreTLS: server.tls === "none",
        ...(server.ca === undefined ? {} : { tls: { ca: server.ca } }),
        ...(server.login === undefined ? {} : { auth: { user: server.login.user, pass: server.login.password } }),
        connectionTimeout: timeoutMilliseconds,
        greetingTimeout: timeoutMilliseconds,
        socketTimeout: timeoutMilliseconds,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const domain = from.split("@").at(-1)?.replace(/>$/, "") ?? "castellan";
        await transport.sendMail({
          from,
          to,
          subject: notice.headline,
          text: mailText(notice),
          messageId: `<${notice.id}@${domain}>`,
          headers: { "Auto-Submitted": "auto-generated", References: `<${notice.request.id}@${domain}>` },
        });
        return { ok: true };
      } catch (error) {
        return smtpProblem(error);
      } finally {
        transport.close();
      }
    },
  };
}

function mailText({ headline, facts, link, wantsDecision, request }: Notice): string {
  const decide = `Decide after login there, or with: castellan approve ${request.id} --comment "..."`;
  const lines = [headline, "", ...facts.map(({ label, value }) => `${label}: ${value}`), "", link];
  return [...lines, ...(wantsDecision ? [decide] : []), ""].join("\n");
}

/** RFC 5321: 5yz is for good; all else may pass. A wrong password is for good, too, until somebody looks. */
function smtpProblem(error: unknown): Delivery {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  const said = responseCode === undefined ? `it cannot be reached: ${code ?? "error"}` : `it answered ${responseCode}`;
  return { ok: false, problem: said, retry: responseCode === undefined ? code !== "EENVELOPE" : responseCode < 500 };
}
