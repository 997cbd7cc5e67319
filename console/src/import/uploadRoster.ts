// Sends a file in parts. The server says where to go on, so an upload that was broken off, or was begun with the bytes of
// another one, is filled from there.

import { ConnectError } from '@connectrpc/connect';

import { problemOf, type Problem } from '~/api/problem';
import type { imports } from '~/api/transport';
import { ErrorInfoSchema } from '~/gen/google/rpc/error_details_pb';

import { retrying, type RetryContext } from './retrying';

/** The calls of an import. */
export type ImportCalls = Pick<
  typeof imports,
  | 'beginImport'
  | 'appendImport'
  | 'finishImport'
  | 'watchImport'
  | 'cancelImport'
  | 'inspectRoster'
  | 'pushUsers'
  | 'readRosterRows'
>;

export type RosterKind = 'csv' | 'workbook';

/** Most bytes of a part. */
export const PART_BYTES = 1024 * 1024;

export interface PartsToSend {
  readonly organization: string;
  readonly importId: string;
  /** Undefined: there is no copy of it any more. */
  readonly file: Blob | undefined;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly kind: RosterKind;
  /** Where to go on, as the server said. */
  readonly from: number;
  readonly onSent?: (bytes: number) => void;
}

/** The file could not be read from its disk any more: it was moved, changed or removed. */
export class FileUnreadable extends Error {}

/** Sends the rest of the file. */
export async function sendParts(
  calls: ImportCalls,
  parts: PartsToSend,
  context: RetryContext,
): Promise<void> {
  const { organization, importId, file, size, kind, onSent } = parts;
  let offset = parts.from;
  let disagreements = 0;
  onSent?.(offset);
  while (offset < size) {
    const part = await read(file?.slice(offset, offset + PART_BYTES));
    const content =
      kind === 'csv'
        ? ({ case: 'csvChunk', value: part } as const)
        : ({ case: 'workbookChunk', value: part } as const);
    const request = { organization, importId, content, offset: BigInt(offset) };
    try {
      const answer = await retrying(() => calls.appendImport(request, { signal: context.signal }), context);
      offset = Number(answer.nextOffset);
    } catch (thrown) {
      const expected = expectedOffset(thrown);
      // Part of it came although its answer was lost. An upload that never agrees is given up.
      if (expected === undefined || ++disagreements > 5) {
        throw thrown;
      }
      offset = expected;
    }
    onSent?.(offset);
  }
}

async function read(part: Blob | undefined): Promise<Uint8Array> {
  if (!part) {
    throw new FileUnreadable('The browser no longer has a copy of the file. Choose it again.');
  }
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    throw new FileUnreadable(
      'The file cannot be read any more: it was changed or moved after you chose it. Choose it again.',
      { cause: error },
    );
  }
}

/** The offset of the part that the server expects next; undefined: it complains about something else. */
export function expectedOffset(thrown: unknown): number | undefined {
  const details = ConnectError.from(thrown).findDetails(ErrorInfoSchema);
  const info = details.find(({ reason }) => reason === 'OFFSET_DIFFERS');
  const offset = Number(info?.metadata.expected_offset);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** True: there is no upload under this ID any more, or not one that can be filled with this file. */
export function isUploadGone(thrown: unknown): boolean {
  const { reasons } = problemOf(thrown);
  const gone = ['NOT_UPLOADING', 'UPLOAD_FINISHED', 'CONTENT_DIFFERS', 'NOT_FOUND'];
  return reasons.some((reason) => gone.includes(reason)) || isNotFound(thrown) || isAnothers(thrown);
}

/** True: what the server has under this ID was begun with another credential. */
export function isAnothers(thrown: unknown): boolean {
  return saysAnothers(problemOf(thrown));
}

export function saysAnothers({ reasons }: Pick<Problem, 'reasons'>): boolean {
  return reasons.includes('OTHER_CREDENTIAL') || reasons.includes('IMPORT_ID_IN_USE');
}

export function isNotFound(thrown: unknown): boolean {
  const notFound = 5;
  return (ConnectError.from(thrown).code as number) === notFound;
}
