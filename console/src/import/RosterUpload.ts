// The upload that every review of a file, and its import, take the roster from: the file is sent once. It is never
// finished. Its digest is made meanwhile.

import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';

import { problemOf } from '~/api/problem';
import { ImportStartSchema } from '~/gen/userimport/v1/import_service_pb';

import { retrying, type RetryContext } from './retrying';
import { isAnothers, sendParts, type ImportCalls, type RosterKind } from './uploadRoster';

export interface RosterSource {
  readonly organization: string;
  readonly uploadId: string;
  readonly file: File;
  readonly kind: RosterKind;
  /** The digest, if it is known already. */
  readonly sha256: Uint8Array | undefined;
}

export class RosterUpload {
  private readonly controller = new AbortController();
  private digest: Promise<Uint8Array> | undefined;
  private sending: Promise<boolean> | undefined;
  private uploadId: string;

  constructor(
    private readonly calls: ImportCalls,
    private readonly source: RosterSource,
    private readonly context: Pick<RetryContext, 'onTrouble' | 'wait'> & {
      onSent: (bytes: number) => void;
      digest: (file: File) => Promise<Uint8Array>;
      /** Says under which ID the file is sent again, as another credential's upload has the first. */
      newUploadId: () => string;
    },
  ) {
    this.uploadId = source.uploadId;
  }

  /** Sends what the server does not have. Returns false if it takes no more uploads now. */
  ready(): Promise<boolean> {
    this.sending ??= this.sendAsOwn().catch((thrown: unknown) => {
      // The next caller tries again.
      this.sending = undefined;
      throw thrown;
    });
    return this.sending;
  }

  /** Sends the file again, as its upload has expired. */
  again(): Promise<boolean> {
    this.sending = undefined;
    return this.ready();
  }

  sha256(): Promise<Uint8Array> {
    const { file, sha256 } = this.source;
    this.digest ??= sha256 ? Promise.resolve(sha256) : this.context.digest(file);
    return this.digest;
  }

  /** Stops sending. */
  stop(): void {
    this.controller.abort(new Error('The upload was stopped.'));
  }

  private async sendAsOwn(): Promise<boolean> {
    try {
      return await this.send();
    } catch (thrown) {
      this.controller.signal.throwIfAborted();
      if (!isAnothers(thrown)) {
        throw thrown;
      }
      this.uploadId = this.context.newUploadId();
      return this.send();
    }
  }

  private async send(): Promise<boolean> {
    const { organization, file, kind } = this.source;
    const { uploadId } = this;
    const { signal } = this.controller;
    const start = create(ImportStartSchema, { organization, importId: uploadId, validateOnly: true });
    const context = { ...this.context, signal };
    let from: number;
    try {
      const begin = () => this.calls.beginImport({ start }, { signal });
      from = Number((await retrying(() => begin().catch(unlessFull), context))?.nextOffset ?? -1);
    } catch (thrown) {
      signal.throwIfAborted();
      throw thrown;
    }
    if (from < 0) {
      return false;
    }
    const { onSent } = this.context;
    const parts = { organization, importId: uploadId, file, size: file.size, kind, from, onSent };
    await sendParts(this.calls, parts, context);
    return true;
  }
}

/** An upload less is no harm: each review then sends the file itself. */
function unlessFull(thrown: unknown): undefined {
  if (problemOf(thrown).code === Code.ResourceExhausted) {
    return undefined;
  }
  throw thrown;
}
