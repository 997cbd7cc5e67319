import { create } from '@bufbuild/protobuf';
import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { ImportSchema } from '~/gen/userimport/v1/import_service_pb';
import { SessionContext, type Permission, type Session } from '~/session/Session';
import { stubWindow } from '~/shared/testWindow';

import { Decisions } from './NeedsReview';

vi.mock('~/shared/links', () => ({
  AnchorLink: () => null,
  ButtonLink: ({ children }: { readonly children: string }) => <a href="/">{children}</a>,
}));

stubWindow();

function decisionsOf(...permissions: Permission[]) {
  const session: Session = {
    principal: 'ana',
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
        <Decisions record={create(ImportSchema, { importId: 'x' })} />
      </SessionContext>
    </MantineProvider>,
  );
  const names = ['Review', 'Approve', 'Discard'];
  return {
    offered: names.filter((name) => screen.queryByText(name)),
    lacking: screen
      .queryAllByText(/lacks the permission/)
      .map((one) => /users\.\w+/.exec(one.textContent)?.[0]),
  };
}

test('who may import but not approve can discard, and is told what is missing', () =>
  expect(decisionsOf('users.read', 'users.import')).toEqual({
    offered: ['Discard'],
    lacking: ['users.approve'],
  }));

test('who may only approve can review, and is told what is missing', () =>
  expect(decisionsOf('users.approve')).toEqual({
    offered: ['Review', 'Approve'],
    lacking: ['users.import'],
  }));

test('who may do both can decide', () =>
  expect(decisionsOf('users.approve', 'users.import')).toEqual({
    offered: ['Review', 'Approve', 'Discard'],
    lacking: [],
  }));

test('who may read only is told what is missing', () =>
  expect(decisionsOf('users.read')).toEqual({ offered: [], lacking: ['users.approve', 'users.import'] }));
