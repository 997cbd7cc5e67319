// The export of users as a file. The stream is gathered into a file of the browser as it comes.

import { directory } from '~/api/transport';
import { FileFormat } from '~/gen/userimport/v1/types_pb';

import { userFilters, type UserSearch } from './userSearch';

/** Bytes after which pieces are put together, so that the browser may keep them outside the page's memory. */
const GATHERED = 8 * 1024 * 1024;

interface Export {
  readonly organization: string;
  readonly search: UserSearch;
  readonly format: FileFormat.CSV | FileFormat.XLSX;
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Receives the whole file. */
export async function exportUsers({
  organization,
  search,
  format,
  onProgress,
  signal,
}: Export): Promise<Blob> {
  const gatherer = new BlobGatherer();
  const request = {
    organization,
    ...userFilters(search),
    format,
    neutralizeFormulas: true,
    byteOrderMark: true,
  };
  for await (const { csvChunk, workbookChunk } of directory.exportUsers(request, { signal })) {
    gatherer.push(format === FileFormat.CSV ? csvChunk : workbookChunk);
    onProgress(gatherer.size);
  }
  return gatherer.finish(format === FileFormat.CSV ? 'text/csv' : XLSX);
}

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Puts pieces together to a file. */
export class BlobGatherer {
  size = 0;
  #whole = new Blob();
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #pending = 0;

  push(piece: Uint8Array): void {
    this.#pieces.push(piece as Uint8Array<ArrayBuffer>);
    this.#pending += piece.length;
    this.size += piece.length;
    if (this.#pending >= GATHERED) {
      this.#gather();
    }
  }

  finish(type: string): Blob {
    this.#gather();
    return new Blob([this.#whole], { type });
  }

  #gather(): void {
    this.#whole = new Blob([this.#whole, ...this.#pieces]);
    this.#pieces = [];
    this.#pending = 0;
  }
}
