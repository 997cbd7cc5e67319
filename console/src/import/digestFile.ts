import type { DigestAnswer } from './sha256.worker';
import { FileUnreadable } from './uploadRoster';

/** The SHA-256 of a file, made by a worker. */
export function digestFile(file: Blob): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./sha256.worker.ts', import.meta.url), { type: 'module' });
    const end = (action: () => void) => {
      worker.terminate();
      action();
    };
    worker.addEventListener('message', ({ data }: MessageEvent<DigestAnswer>) =>
      end(() =>
        'digest' in data
          ? resolve(data.digest)
          : reject(new FileUnreadable(`The file cannot be read: ${data.failure}`)),
      ),
    );
    worker.addEventListener('error', ({ message }) => end(() => reject(new Error(message))));
    worker.postMessage(file);
  });
}
