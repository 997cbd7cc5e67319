// The chosen file: the copy of it that the browser keeps, and the upload that the server has of it.

import { newId } from '~/shared/newId';

import { fromHex, toHex } from './bytes';
import type { ImportSession } from './ImportSession';
import { kindOf } from './fileKinds';
import { RosterUpload } from './RosterUpload';

export class RosterInput {
  upload: RosterUpload | undefined;

  constructor(private readonly session: ImportSession) {}

  /** Takes the file, and begins to send it unless the server has it already for the import. */
  take(file: File): void {
    const { session } = this;
    const { uploadId, sha256, apply } = session.draft;
    const known = sha256 === '' ? undefined : fromHex(sha256);
    const source = {
      organization: session.organization,
      uploadId,
      file,
      kind: kindOf(file.name),
      sha256: known,
    };
    const { signal } = new AbortController();
    const { onTrouble, wait } = session.context(signal);
    const upload = new RosterUpload(session.parts.calls, source, {
      onTrouble,
      onSent: (sent) => this.upload === upload && session.show({ sent }),
      digest: session.parts.digest,
      newUploadId: () => this.takeNewUpload(file),
      ...(wait && { wait }),
    });
    this.upload = upload;
    session.show({ file });
    session.parts.uploads.note(session.organization, uploadId);
    if (apply?.isFinished) {
      return;
    }
    upload.sha256().then(
      (digest) => this.upload === upload && session.keep({ sha256: toHex(digest) }),
      () => undefined,
    );
    // The review needs the upload, and shows its failure.
    upload.ready().catch(() => undefined);
  }

  /** Keeps a copy of the file. Without one the import works too, but not after a reload. */
  async keepCopy(uploadId: string, file: File): Promise<void> {
    const { session } = this;
    const isLate = session.givenUp();
    await session.parts.files.keep(uploadId, file).catch(() => undefined);
    if (isLate()) {
      // It was kept after it had been given up.
      await this.removeCopy(uploadId);
    }
  }

  async findCopy(): Promise<File | undefined> {
    const { parts, draft } = this.session;
    return parts.files.find(draft.uploadId).catch(() => undefined);
  }

  async removeCopy(uploadId: string): Promise<void> {
    await this.session.parts.files.remove(uploadId).catch(() => undefined);
  }

  /** Sends no more, and lets go of the file. */
  drop(): void {
    this.upload?.stop();
    this.upload = undefined;
  }

  /** The upload belongs to another credential, such as the one used before: the file is sent again under a new ID. */
  private takeNewUpload(file: File): string {
    const { session } = this;
    const before = session.draft.uploadId;
    const uploadId = newId();
    session.parts.uploads.forget(before);
    session.parts.uploads.note(session.organization, uploadId);
    session.keep({ uploadId });
    void this.keepCopy(uploadId, file);
    void this.removeCopy(before);
    return uploadId;
  }
}
