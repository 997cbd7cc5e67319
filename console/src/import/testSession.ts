// An import session for tests, with a server of theirs.

import { Blob as NodeBlob } from 'node:buffer';

import { create } from '@bufbuild/protobuf';
import { expect, vi } from 'vitest';

import { UserRowSchema } from '~/gen/userimport/v1/types_pb';

import { FakeServer } from './fakeServer';
import { ImportSession } from './ImportSession';
import { OpenUploads } from './openUploads';
import type { RosterFiles } from './rosterFiles';

export function roster(): File {
  const file = new NodeBlob(['EXTERNAL_ID,EMAIL\nP-1,a\nP-2,b\nP-3,c\n']);
  return Object.assign(file, { name: 'roster.csv', lastModified: 0 }) as unknown as File;
}

export function setUp(server = new FakeServer(), kept = new Map<string, File>()) {
  const files: RosterFiles = {
    keep: (id, file) => Promise.resolve(void kept.set(id, file)),
    find: (id) => Promise.resolve(kept.get(id)),
    remove: (id) => Promise.resolve(void kept.delete(id)),
  };
  const open = (principal = 'Ana') =>
    new ImportSession('pd', {
      principal,
      calls: server.calls,
      files,
      storage: sessionStorage,
      uploads: new OpenUploads(localStorage),
      digest: () => Promise.resolve(new Uint8Array(32)),
      wait: () => Promise.resolve(),
    });
  return { server, kept, open, session: open() };
}

export async function reviewed(session: ImportSession): Promise<void> {
  await session.choose(roster());
  session.goTo('review');
  await vi.waitFor(() => expect(session.state.get().review?.summary?.rows).toBe(3));
  await vi.waitFor(() => expect(session.state.get().running).toBe('nothing'));
}

export function correctedRow2() {
  return { row: 2, values: create(UserRowSchema, { externalId: 'P-2', role: 'Officer' }) };
}
