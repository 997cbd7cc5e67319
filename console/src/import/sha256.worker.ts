// Makes the SHA-256 of a file in slices, away from the page: 100 MB take about a second and are never in memory at once.

import { sha256 } from '@noble/hashes/sha2.js';

const SLICE_BYTES = 4 * 1024 * 1024;

export type DigestAnswer = { readonly digest: Uint8Array } | { readonly failure: string };

/** Returns the digest of the file. */
export async function digestInSlices(file: Blob): Promise<Uint8Array> {
  const hash = sha256.create();
  for (let offset = 0; offset < file.size; offset += SLICE_BYTES) {
    hash.update(new Uint8Array(await file.slice(offset, offset + SLICE_BYTES).arrayBuffer()));
  }
  return hash.digest();
}

self.addEventListener('message', ({ data }: MessageEvent<Blob>) => {
  digestInSlices(data).then(
    (digest) => self.postMessage({ digest } satisfies DigestAnswer),
    (error: unknown) => self.postMessage({ failure: String(error) } satisfies DigestAnswer),
  );
});
