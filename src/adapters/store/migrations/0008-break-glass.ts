import { type Kysely, sql } from "kysely";

/** Which requests broke the glass, and whether somebody has looked at it: found however many others came after. */
export async function breakGlass(db: Kysely<unknown>): Promise<void> {
  await sql`alter table access_requests add column glass text`.execute(db);
  await sql`
    update access_requests set glass = case when document like '%"reviewed":{%' then 'reviewed' else 'unreviewed' end
    where document like '%"breakGlass":true%'`.execute(db);
  await sql`create index access_requests_glass on access_requests (glass) where glass is not null`.execute(db);
}
