import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '~/gen/google/rpc/error_details_pb';

import { problemOf } from './problem';

test('faults are listed once, and reasons are kept for the page', () => {
  const fault = { field: 'charset', description: 'There is no charset latin9x.' };
  const error = new ConnectError('Bad options.', Code.InvalidArgument, undefined, [
    { desc: BadRequestSchema, value: { fieldViolations: [fault, fault] } },
    { desc: ErrorInfoSchema, value: { reason: 'BAD_OPTION' } },
  ]);
  expect(problemOf(error)).toMatchObject({
    message: 'Bad options.',
    faults: ['There is no charset latin9x.'],
    reasons: ['BAD_OPTION'],
    isTransient: false,
    retryDelay: undefined,
  });
});

test('a call that may be made again says when', () => {
  const error = new ConnectError('Too many.', Code.ResourceExhausted, undefined, [
    { desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n, nanos: 500_000_000 } } },
  ]);
  expect(problemOf(error)).toMatchObject({ isTransient: true, retryDelay: 2500 });
});

test('a broken connection is said in words', () => {
  const problem = problemOf(ConnectError.from(new TypeError('Failed to fetch')));
  expect(problem.isTransient).toBe(true);
  expect(problem.message).toContain('cannot be reached');
});

test('an answer of a proxy is said in words', () => {
  const problem = problemOf(new ConnectError('HTTP 502', Code.Unavailable));
  expect(problem.isTransient).toBe(true);
  expect(problem.message).toContain('answered in its place (HTTP 502)');
});
