import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import {
  IssueSeverity,
  RowOutcome,
  RowResultSchema,
  UserRowSchema,
  type RowResult,
} from '~/gen/userimport/v1/types_pb';
import { ResultStore } from '~/review/ResultStore';

import { holdersIn, rowsNamedBy } from './contextRows';

function result(row: number, outcome: RowOutcome, after: Record<string, string>): RowResult {
  const changes = Object.entries(after).map(([column, value]) => ({ column, after: value }));
  return create(RowResultSchema, { row, outcome, externalId: `P-${row}`, changes });
}

test('a corrected row brings the rows of its supervisor, of holders and of the same values', () => {
  const review = new ResultStore();
  review.add([
    result(1, RowOutcome.CREATED, { EMAIL: 'Ruth@x.example' }),
    result(2, RowOutcome.UPDATED, { BADGE_NUMBER: '0500' }),
    result(3, RowOutcome.UPDATED, { RANK: 'ruth@x.example' }),
    result(4, RowOutcome.CREATED, { USERNAME: 'KMENSAH' }),
    result(5, RowOutcome.UPDATED, { EMAIL: 'new@x.example' }),
    result(6, RowOutcome.REJECTED, {}),
  ]);
  const kofi = create(UserRowSchema, {
    email: 'kofi@x.example',
    badgeNumber: '0500',
    username: 'kmensah',
    supervisorEmail: 'ruth@x.example ',
    phone: '',
  });
  expect(rowsNamedBy(review, [kofi], [])).toEqual([1, 2, 4]);
  expect(rowsNamedBy(review, [create(UserRowSchema)], ['P-5'])).toEqual([5]);
});

test('errors name the users who hold what a row wants', () => {
  const judged = new ResultStore();
  const issues = [{ severity: IssueSeverity.ERROR, relatedExternalId: 'P-9' }];
  judged.add([
    create(RowResultSchema, { row: 1, outcome: RowOutcome.REJECTED, issues }),
    create(RowResultSchema, { row: 2, outcome: RowOutcome.CREATED }),
  ]);
  expect(holdersIn(judged)).toEqual(['P-9']);
});
