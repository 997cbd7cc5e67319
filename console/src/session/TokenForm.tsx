import { Button, PasswordInput, Stack } from '@mantine/core';
import { useState } from 'react';

import { problemOf } from '~/api/problem';

import { keepToken } from './token';
import { tokenFault } from './tokenFault';

interface TokenFormProps {
  /** Takes a token that may be one; rejects if the server does not accept it. */
  readonly onToken?: (token: string) => Promise<void> | void;
}

/** Asks for a token. */
export function TokenForm({ onToken = keepToken }: TokenFormProps) {
  const [entered, setEntered] = useState('');
  const [fault, setFault] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const take = async () => {
    setBusy(true);
    try {
      await onToken(entered);
    } catch (error) {
      setFault(problemOf(error).message);
    }
    setBusy(false);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const found = entered.trim() ? tokenFault(entered) : 'Enter the token.';
        setFault(found);
        if (found === undefined) {
          void take();
        }
      }}
    >
      <Stack gap="sm">
        <PasswordInput
          label="Token"
          description="It is kept for the life of this tab only."
          autoComplete="off"
          data-autofocus
          value={entered}
          error={fault}
          onChange={(event) => {
            setEntered(event.currentTarget.value);
            setFault(undefined);
          }}
          visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed' }}
        />
        <Button type="submit" loading={isBusy}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
