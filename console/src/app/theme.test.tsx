import { Alert, MantineProvider } from '@mantine/core';
import { Code } from '@connectrpc/connect';
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';

import { Failure } from '~/shared/Failure';
import { stubWindow } from '~/shared/testWindow';

import { theme } from './theme';

stubWindow();

test('a failure interrupts screen readers, and an explanation does not', () => {
  const problem = {
    message: 'No.',
    faults: [],
    places: [],
    reasons: [],
    code: Code.Unknown,
    isTransient: false,
    retryDelay: undefined,
  };
  render(
    <MantineProvider theme={theme}>
      <Alert title="Plain">An explanation.</Alert>
      <Failure problem={problem} />
    </MantineProvider>,
  );
  expect(screen.getByRole('status').textContent).toContain('An explanation.');
  expect(screen.getByRole('alert').textContent).toContain('That did not work');
});
