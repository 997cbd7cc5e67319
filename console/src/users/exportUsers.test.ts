import { expect, test } from 'vitest';

import { BlobGatherer } from './exportUsers';

test('pieces become one file in their order', async () => {
  const gatherer = new BlobGatherer();
  const piece = new Uint8Array(5 * 1024 * 1024);
  for (const first of [1, 2, 3]) {
    piece[0] = first;
    gatherer.push(piece.slice());
  }
  const file = gatherer.finish('text/csv');
  expect(gatherer.size).toBe(3 * piece.length);
  expect(file.size).toBe(3 * piece.length);
  expect(file.type).toBe('text/csv');
  const bytes = await new Promise<Uint8Array>((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(new Uint8Array(reader.result as ArrayBuffer));
    reader.readAsArrayBuffer(file);
  });
  expect([bytes[0], bytes[piece.length], bytes[2 * piece.length]]).toEqual([1, 2, 3]);
});
