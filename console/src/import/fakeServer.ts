// A server for tests of the upload and of the stepper: it keeps uploads, judges every line as a new user, and loses the
// calls that a test names.

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';

import { ErrorInfoSchema } from '~/gen/google/rpc/error_details_pb';
import {
  AppendImportResponseSchema,
  BeginImportResponseSchema,
  CancelImportResponseSchema,
  FinishImportResponseSchema,
  ImportStartSchema,
  InspectRosterResponseSchema,
  PushUsersResponseSchema,
  ReadRosterRowsResponseSchema,
  WatchImportResponseSchema,
  type ImportStart,
  type WatchImportResponse,
} from '~/gen/userimport/v1/import_service_pb';
import { ImportState, RowOutcome } from '~/gen/userimport/v1/types_pb';

import type { ImportCalls } from './uploadRoster';

interface FakeUpload {
  validateOnly: boolean;
  bytes: Uint8Array;
  isFinished: boolean;
}

/** Reads as the browser's error for a connection that breaks. */
export function connectionLost(): ConnectError {
  const error = new ConnectError('Failed to fetch', Code.Unknown);
  error.cause = new TypeError('Failed to fetch');
  return error;
}

export function refusal(code: Code, reason: string, metadata: Record<string, string> = {}): ConnectError {
  return new ConnectError(reason, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: 'userimport', metadata } },
  ]);
}

export class FakeServer {
  readonly uploads = new Map<string, FakeUpload>();
  readonly called: string[] = [];
  /** Errors that the next calls of a kind end with, before or after they took effect. */
  readonly before: Partial<Record<keyof ImportCalls, (Error | undefined)[]>> = {};
  readonly after: Partial<Record<keyof ImportCalls, (Error | undefined)[]>> = {};
  /** Ends the next watches after so many results. */
  readonly watchBreaks: { after: number; error: Error }[] = [];
  /** What the next imports end with. */
  readonly summaries: MessageInitShape<typeof WatchImportResponseSchema>['message'][] = [];

  /** The options of the pushes, and what the next ones answer. */
  readonly pushed: ImportStart[] = [];
  readonly pushAnswers: MessageInitShape<typeof PushUsersResponseSchema>[] = [];

  private async call<T>(kind: keyof ImportCalls, effect: () => T): Promise<T> {
    await Promise.resolve();
    this.called.push(kind);
    const before = this.before[kind]?.shift();
    if (before) {
      throw before;
    }
    const answer = effect();
    const after = this.after[kind]?.shift();
    if (after) {
      throw after;
    }
    return answer;
  }

  private open(importId: string): FakeUpload {
    const upload = this.uploads.get(importId);
    if (!upload) {
      throw refusal(Code.NotFound, 'NOT_FOUND');
    }
    return upload;
  }

  readonly calls: ImportCalls = {
    beginImport: ({ start, rosterOf }) =>
      this.call('beginImport', () => {
        const importId = start?.importId ?? '';
        const validateOnly = start?.validateOnly ?? false;
        const bytes = rosterOf ? this.open(rosterOf).bytes : new Uint8Array();
        const upload = this.uploads.get(importId) ?? { validateOnly, bytes, isFinished: false };
        this.uploads.set(importId, upload);
        const nextOffset = BigInt(upload.bytes.length);
        return create(BeginImportResponseSchema, { importId, nextOffset });
      }),
    appendImport: ({ importId, content, offset }) =>
      this.call('appendImport', () => {
        const upload = this.open(importId ?? '');
        const part = content?.case === 'csvChunk' ? content.value : new Uint8Array();
        const end = upload.bytes.length;
        if (Number(offset) + part.length <= end) {
          return create(AppendImportResponseSchema, { nextOffset: BigInt(end) });
        }
        if (Number(offset) !== end) {
          throw refusal(Code.FailedPrecondition, 'OFFSET_DIFFERS', { expected_offset: String(end) });
        }
        const bytes = new Uint8Array(end + part.length);
        bytes.set(upload.bytes);
        bytes.set(part, end);
        upload.bytes = bytes;
        return create(AppendImportResponseSchema, { nextOffset: BigInt(bytes.length) });
      }),
    finishImport: ({ importId, finish }) =>
      this.call('finishImport', () => {
        const upload = this.open(importId ?? '');
        if (Number(finish?.byteCount) !== upload.bytes.length) {
          throw refusal(Code.FailedPrecondition, 'BYTE_COUNT_DIFFERS');
        }
        upload.isFinished = true;
        return create(FinishImportResponseSchema, { importId: importId ?? '' });
      }),
    watchImport: ({ importId, afterResult }) => this.watch(importId ?? '', afterResult ?? 0),
    cancelImport: ({ importId }) =>
      this.call('cancelImport', () => {
        this.open(importId ?? '');
        this.uploads.delete(importId ?? '');
        return create(CancelImportResponseSchema, { importRecord: { state: ImportState.CANCELLED } });
      }),
    inspectRoster: () => this.call('inspectRoster', () => create(InspectRosterResponseSchema)),
    readRosterRows: ({ importId, rows }) =>
      this.call('readRosterRows', () => {
        this.open(importId ?? '');
        return create(ReadRosterRowsResponseSchema, {
          rows: rows?.map((row) => ({ row, values: { externalId: `P-${row}`, role: 'Oficer' } })) ?? [],
        });
      }),
    pushUsers: ({ start, rows }) =>
      this.call('pushUsers', () => {
        this.pushed.push(create(ImportStartSchema, start));
        const results = rows?.map((_, index) => ({ row: index + 1, outcome: RowOutcome.CREATED })) ?? [];
        const all = { results, summary: { planDigest: new Uint8Array([7]) } };
        return create(PushUsersResponseSchema, this.pushAnswers.shift() ?? all);
      }),
  };

  private async *watch(importId: string, after: number): AsyncGenerator<WatchImportResponse> {
    await this.call('watchImport', () => undefined);
    const upload = this.open(importId);
    const lines = new TextDecoder().decode(upload.bytes).split('\n').slice(1).filter(Boolean);
    const breaks = this.watchBreaks.shift();
    let told = 0;
    for (const row of lines.keys()) {
      if (row < after) {
        continue;
      }
      if (told === breaks?.after) {
        throw breaks.error;
      }
      told++;
      yield create(WatchImportResponseSchema, {
        message: {
          case: 'results',
          value: { results: [{ row: row + 1, line: row + 2, outcome: RowOutcome.CREATED }] },
        },
      });
    }
    const { validateOnly } = upload;
    const value = { state: ImportState.COMPLETED, validateOnly, rows: lines.length, created: lines.length };
    yield create(WatchImportResponseSchema, {
      message: this.summaries.shift() ?? { case: 'summary', value },
    });
  }
}
