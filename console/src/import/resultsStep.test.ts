import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { ImportSummarySchema } from '~/gen/userimport/v1/import_service_pb';
import { ImportState } from '~/gen/userimport/v1/types_pb';

import { canReviewAgain } from './ResultsStep';

test.each([
  [ImportState.COMPLETED, false],
  [ImportState.REFUSED, true],
  [ImportState.CANCELLED, true],
  [ImportState.INTERRUPTED, true],
])('an import that ended as %s can be reviewed again: %s', (state, expected) => {
  expect(canReviewAgain(create(ImportSummarySchema, { state }), false)).toBe(expected);
});

test('one that failed without a summary can be reviewed again', () => {
  expect(canReviewAgain(undefined, true)).toBe(true);
});
