import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { ImportSchema } from '~/gen/userimport/v1/import_service_pb';
import { SessionContext, type Permission, type Session } from '~/session/Session';
import { stubWindow } from '~/shared/testWindow';

import { OTHER_CREDENTIAL } from './approval';
import { Decisions } from './NeedsReview';

vi.mock('~/shared/links', () => ({
  AnchorLink: () => null,
  ButtonLink: ({ children }: { readonly children: string }) => <a href="/">{children}</a>,
}));

stubWindow();

const HELD = {
  principal: 'token 2 (nightly)',
  approvalNeeds: { permissions: ['users.approve', 'users.import'] },
};

function decisionsOf(permissions: Permission[], record: MessageInitShape<typeof ImportSchema> = HELD) {
  const session: Session = {
    principal: 'ana (token)',
    credential: 'token 1 (ana)',
    organization: 'pd',
    organizations: [],
    expiresAt: undefined,
    serverVersion: '1',
    clockOffset: 0,
    may: (permission) => permissions.includes(permission),
  };
  render(
    <MantineProvider>
      <SessionContext value={session}>
        <Decisions record={create(ImportSchema, { importId: 'x', ...record })} />
      </SessionContext>
    </MantineProvider>,
  );
  const names = ['Review', 'Approve', 'Discard'];
  return {
    offered: names.filter((name) => screen.queryByText(name)),
    isOthers: screen.queryByText(OTHER_CREDENTIAL) !== null,
    lacking: screen
      .queryAllByText(/lacks the permission/)
      .map((one) => /users\.\w+/.exec(one.textContent)?.[0]),
  };
}

test('who may import but not approve can discard, and is told what is missing', () =>
  expect(decisionsOf(['users.read', 'users.import'])).toEqual({
    offered: ['Discard'],
    lacking: ['users.approve'],
    isOthers: false,
  }));

test('who may only approve can review, and is told what is missing', () =>
  expect(decisionsOf(['users.approve'])).toEqual({
    offered: ['Review'],
    lacking: ['users.import'],
    isOthers: false,
  }));

test('who may do both can decide', () =>
  expect(decisionsOf(['users.approve', 'users.import'])).toEqual({
    offered: ['Review', 'Approve', 'Discard'],
    lacking: [],
    isOthers: false,
  }));

test('who may read only is told what is missing', () =>
  expect(decisionsOf(['users.read'])).toEqual({
    offered: [],
    lacking: ['users.approve', 'users.import'],
    isOthers: false,
  }));

test('what the import needs besides is named in place of the button', () => {
  const permissions = ['users.approve', 'users.import', 'users.deactivate'];
  expect(decisionsOf(['users.approve', 'users.import'], { ...HELD, approvalNeeds: { permissions } })).toEqual(
    { offered: ['Review', 'Discard'], lacking: ['users.deactivate'], isOthers: false },
  );
});

test('who has sent the import is not offered to approve it if somebody else has to', () =>
  expect(
    decisionsOf(['users.approve', 'users.import'], {
      principal: 'token 1 (ana)',
      approvalNeeds: { ...HELD.approvalNeeds, otherCredential: true },
    }),
  ).toEqual({ offered: ['Review', 'Discard'], lacking: [], isOthers: true }));
