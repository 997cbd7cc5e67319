import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { ImportSchema } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';

import { approvalEnd, hasUndone, readStateAfter, undoEnd } from './recordAfter';

test('the record says what became of an import', async () => {
  const importRecord = create(ImportSchema, { state: ImportState.COMPLETED });
  expect(await readStateAfter(() => Promise.resolve({ importRecord }))).toBe(ImportState.COMPLETED);
  const fail = (code: Code) => () => Promise.reject(new ConnectError('no', code));
  expect(await readStateAfter(fail(Code.NotFound))).toBe('none');
  expect(await readStateAfter(fail(Code.Unavailable))).toBe('unknown');
});

test('an approval says that nothing was changed only of an import that is still held', () => {
  expect(approvalEnd(ImportState.HELD).nextStep).toContain(
    'Nothing was changed, and the import is still held',
  );
  for (const state of [ImportState.COMPLETED, ImportState.INTERRUPTED, ImportState.CANCELLED] as const) {
    expect(approvalEnd(state).title).toBe('The import is no longer held');
    expect(approvalEnd(state).nextStep).not.toContain('Nothing');
  }
  expect(approvalEnd('unknown').nextStep).toContain('not known');
});

test('an undo says that nothing was changed only if it was refused, or never begun', () => {
  for (const state of [ImportState.REFUSED, 'none'] as const) {
    expect(hasUndone(state)).toBe(false);
    expect(undoEnd(state).nextStep).toContain('Nothing was changed');
  }
  for (const state of [ImportState.INTERRUPTED, ImportState.CANCELLED, ImportState.COMPLETED] as const) {
    expect(hasUndone(state)).toBe(true);
    expect(undoEnd(state).nextStep).toContain('stays');
  }
  expect(undoEnd('unknown').nextStep).toContain('not known');
});
