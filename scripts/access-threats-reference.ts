import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Threat {
  readonly id: string;
  readonly threat: string;
  /** Tests that were there before the threats had numbers, by file and title. */
  readonly tests?: readonly (readonly [file: string, title: string])[];
  /** Why no test can show it. */
  readonly reason?: string;
}

/** What a gateway with approvals has to stand up to: from the security record of others. */
export const threats: readonly { readonly area: string; readonly threats: readonly Threat[] }[] = [
  {
    area: "Headers and identity towards the API server",
    threats: [
      { id: "T01", threat: "the client sends Impersonate-* headers" },
      { id: "T02", threat: "Connection names headers that are to be dropped on the way" },
      { id: "T03", threat: "the identity has an empty user name" },
      { id: "T04", threat: "impersonation headers come twice" },
      { id: "T05", threat: "a group's name holds a comma" },
      { id: "T06", threat: "an identity provider or a rule gives system:masters" },
      { id: "T07", threat: "groups and extras beside a service account's name" },
      { id: "T08", threat: "X-Remote-* and X-Forwarded-For of a client" },
      { id: "T09", threat: "X-Forwarded-Host of a client" },
      { id: "T10", threat: "tokens for another audience, two credentials, credentials that are passed on" },
      { id: "T11", threat: "hundreds of groups, very large tokens" },
    ],
  },
  {
    area: "Paths and verbs",
    threats: [
      { id: "T12", threat: "dot segments" },
      { id: "T13", threat: "an encoded slash" },
      { id: "T14", threat: "empty segments" },
      { id: "T15", threat: "backslashes" },
      { id: "T16", threat: "absolute and authority form" },
      { id: "T17", threat: "spellings of watch" },
      { id: "T18", threat: "a name in a field selector" },
      { id: "T19", threat: "overridden and unknown methods" },
      { id: "T20", threat: "proxy subresources by GET" },
    ],
  },
  {
    area: "Upgraded streams",
    threats: [
      { id: "T21", threat: "exec by GET over WebSocket" },
      { id: "T22", threat: "going on after a failed upgrade" },
      { id: "T23", threat: "redirects of an upgrade" },
      { id: "T24", threat: "unknown protocols" },
      { id: "T25", threat: "subprotocols and frames that nobody records" },
      { id: "T26", threat: "frames that are packed or split" },
      { id: "T27", threat: "attach, debug, cp, port-forward instead of exec" },
      { id: "T28", threat: "a recorder that fails" },
      { id: "T29", threat: "a page of another site opens a socket or decides" },
    ],
  },
  {
    area: "Approvals",
    threats: [
      { id: "T30", threat: "approving one's own request, by any login" },
      { id: "T31", threat: "one human fills two places" },
      { id: "T32", threat: "more approvals than wanted" },
      { id: "T33", threat: "an empty set of approvers" },
      { id: "T34", threat: "an approver of another rule" },
      { id: "T35", threat: "an approval that is used twice" },
      { id: "T36", threat: "another body, another spelling than was approved" },
      { id: "T37", threat: "the object changes between approval and use" },
      { id: "T38", threat: "approved for one cluster, used in another" },
      { id: "T39", threat: "a decision that comes too late" },
      { id: "T40", threat: "forged, replayed and unlinked chat callbacks" },
      { id: "T41", threat: "rules that change after the request" },
      { id: "T42", threat: "two rules that disagree" },
    ],
  },
  {
    area: "Time",
    threats: [
      { id: "T43", threat: "streams that are open when the grant ends" },
      { id: "T44", threat: "a session longer than its grant or its credential" },
      { id: "T45", threat: "how fast a revocation and a lock hold, on every replica" },
      { id: "T46", threat: "clocks that jump" },
      { id: "T47", threat: "approved before a freeze, used in it" },
      { id: "T48", threat: "a client that vanishes" },
      { id: "T49", threat: "a remembered yes" },
    ],
  },
  {
    area: "Identities",
    threats: [
      { id: "T50", threat: "stolen tokens" },
      { id: "T51", threat: "two issuers that name people alike" },
      { id: "T52", threat: "groups that differ in their path only" },
      { id: "T53", threat: "no groups claim" },
      { id: "T54", threat: "empty and unproven identities" },
    ],
  },
  {
    area: "What stays behind",
    threats: [
      { id: "T55", threat: "rights that are made to last while a grant lives" },
      { id: "T56", threat: "the gateway's own account" },
      { id: "T57", threat: "going around the gateway" },
    ],
  },
  {
    area: "Evidence",
    threats: [
      {
        id: "T58",
        threat: "records that are changed, removed, reordered",
        tests: [
          ["test/database/ledger.test.ts", "forgery is found: $what"],
          ["test/database/ledger.test.ts", "who takes out the end with its checkpoints is caught by a witness's copy"],
        ],
      },
      {
        id: "T59",
        threat: "records that are sampled or dropped",
        tests: [
          ["test/database/ledger.test.ts", "a full queue refuses, a broken database says so, and nothing half-written stays"],
          ["test/e2e/faults.test.ts", "the disk is full"],
        ],
      },
      { id: "T60", threat: "secrets in recordings, and who looks at recordings" },
      { id: "T61", threat: "secrets in records, logs and messages" },
    ],
  },
  {
    area: "Availability and fidelity",
    threats: [
      { id: "T62", threat: "slow headers, large bodies, many streams" },
      { id: "T63", threat: "watches that are held back" },
      { id: "T64", threat: "streams that are cut by a timeout" },
      { id: "T65", threat: "the database or the chat is down" },
      { id: "T66", threat: "content types that nobody parses" },
      {
        id: "T67",
        threat: "names that leak through filtered lists",
        reason: "answers are never filtered: the API server decides what a list holds, and its bytes are passed on (T66)",
      },
      { id: "T68", threat: "dry runs and generated names" },
      {
        id: "T69",
        threat: "a 403 that is taken for nothing being there",
        tests: [
          ["test/e2e/cluster-scan.test.ts", "a user who may not read says so, and passes nothing"],
          ["test/e2e/cluster-load.test.ts", "what the user may not list is named"],
        ],
      },
    ],
  },
];

const root = new URL("..", import.meta.url).pathname;

function testFiles(): readonly string[] {
  return ["src", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => `${folder}/${name}`),
  );
}

export interface Proof {
  readonly file: string;
  readonly title: string;
}

/** Which tests name a threat in their title, or in the name of one of their cases. */
export function proofs(): ReadonlyMap<string, readonly Proof[]> {
  const found = new Map<string, Proof[]>();
  const add = (id: string, proof: Proof) => {
    const known = found.get(id) ?? [];
    if (!known.some(({ file, title }) => file === proof.file && title === proof.title)) known.push(proof);
    found.set(id, known);
  };
  for (const file of testFiles().toSorted()) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, quoted = ""] of text.matchAll(/"((?:[^"\\\n]|\\.)*\bT[0-6]\d\b(?:[^"\\\n]|\\.)*)"/g))
      for (const [id] of quoted.matchAll(/\bT[0-6]\d\b/g)) add(id, { file, title: quoted.replaceAll("\\", "") });
  }
  for (const { id, tests = [] } of threats.flatMap((area) => area.threats))
    for (const [file, title] of tests) add(id, { file, title });
  return found;
}

/** docs/reference/access-threats.md, from the titles of tests. */
export function accessThreatsReference(): string {
  const found = proofs();
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const shownBy = ({ id, reason }: Threat) => {
    const tests = (found.get(id) ?? []).map(({ file, title }) => `${cell(title)} (\`${file}\`)`);
    return [...tests, ...(reason === undefined ? [] : [reason])].join("<br>");
  };
  const sections = threats.map(
    ({ area, threats: rows }) =>
      `## ${area}\n\n| | threat | shown by |\n|---|---|---|\n${rows.map((row) => `| ${row.id} | ${cell(row.threat)} | ${shownBy(row)} |`).join("\n")}\n`,
  );
  return `# What access stands up to

Each threat is taken from the security record of gateways and approval systems. The tests run against real parts: kube-apiserver, etcd,
kubectl, PostgreSQL, an OIDC issuer, a mail server. A test that names a number in its title stands here.

${sections.join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/access-threats.md", import.meta.url), accessThreatsReference());
}
