import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { ImportSchema } from '~/gen/userimport/v1/import_service_pb';
import type { Permission } from '~/session/Session';

import { approvalLack, lackInWords, mayApprove, OTHER_CREDENTIAL } from './approval';

const caller = (credential: string, ...permissions: Permission[]) => ({
  credential,
  may: (one: Permission) => permissions.includes(one),
});

const held = (permissions: Permission[], otherCredential = false) =>
  create(ImportSchema, {
    principal: 'token 1 (nightly)',
    approvalNeeds: { permissions, otherCredential },
  });

const ALL: Permission[] = ['users.approve', 'users.import', 'users.deactivate'];

test('whoever has all that the import needs may approve it', () => {
  const lack = approvalLack(held(ALL), caller('token 1 (nightly)', ...ALL));
  expect(mayApprove(lack)).toBe(true);
  expect(lackInWords(lack)).toEqual([]);
});

test('an import with deactivate_missing is not offered without its permission, and the option is named', () => {
  const lack = approvalLack(held(ALL), caller('jwt ana', 'users.approve', 'users.import'));
  expect(mayApprove(lack)).toBe(false);
  expect(lackInWords(lack)).toEqual([
    'Approving needs the permission users.deactivate, which you lack.',
    'The import was sent with the option to deactivate users who are not listed.',
  ]);
});

test('without that option users.deactivate is not asked for', () => {
  const lack = approvalLack(
    held(['users.approve', 'users.import']),
    caller('jwt ana', 'users.approve', 'users.import'),
  );
  expect(mayApprove(lack)).toBe(true);
});

test('all permissions that are lacking are named', () =>
  expect(lackInWords(approvalLack(held(['users.approve', 'users.import']), caller('jwt ana')))).toEqual([
    'Approving needs the permissions users.approve and users.import, which you lack.',
  ]));

test.each([
  ['token 1 (nightly)', true, false],
  ['token 2 (nightly)', true, true],
  ['token 1 (nightly)', false, true],
])('%s may approve it if another credential must (%s): %s', (credential, otherCredential, may) => {
  const lack = approvalLack(held(ALL, otherCredential), caller(credential, ...ALL));
  expect(mayApprove(lack)).toBe(may);
  expect(lackInWords(lack)).toEqual(may ? [] : [OTHER_CREDENTIAL]);
});
