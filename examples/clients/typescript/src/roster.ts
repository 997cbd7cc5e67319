/** Rosters as request messages. A roster can be read any number of times: each attempt sends all of it. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { ImportUsersRequest } from "../gen/userimport/v1/import_service";
import type { UserRow } from "../gen/userimport/v1/types";

// A message may have 4 MiB. Large ones keep HTTP/2 quick, and these leave room for any row.
const CHUNK_BYTES = 512 * 1024;
const ROWS_A_MESSAGE = 500;

/** Gives all the messages that follow `start`, `finish` included. */
export type Roster = () => AsyncIterable<ImportUsersRequest>;

/** The roster could not be read to its end. The server has refused what it got of it. */
export class RosterUnreadable extends Error {}

/** A CSV file on disk, sent as it is: the server knows about charsets and delimiters. */
export function csvFile(path: string): Roster {
  return async function* () {
    let byteCount = 0n;
    const digest = createHash("sha256");
    for await (const csvChunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      byteCount += BigInt(csvChunk.length);
      digest.update(csvChunk);
      yield { message: { oneofKind: "csvChunk", csvChunk } };
    }
    // The totals let the server notice an upload that lost something on its way.
    const finish = { byteCount, sha256: digest.digest() };
    yield { message: { oneofKind: "finish", finish } };
  };
}

/** Rows from memory. An optional attribute unset stays as it is; set to "" it is cleared. */
export function typedRows(rows: readonly UserRow[]): Roster {
  return async function* () {
    for (let first = 0; first < rows.length; first += ROWS_A_MESSAGE) {
      const group = { rows: rows.slice(first, first + ROWS_A_MESSAGE) };
      yield { message: { oneofKind: "rows", rows: group } };
    }
    const finish = { rowCount: BigInt(rows.length) };
    yield { message: { oneofKind: "finish", finish } };
  };
}
