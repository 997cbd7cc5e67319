import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { UserRowSchema } from '~/gen/userimport/v1/types_pb';

import { correctedValues } from './correctedValues';

test('a cell that is typed and emptied again stays left out, but one that the file has is blanked', () => {
  const values = create(UserRowSchema, { externalId: 'P-1', role: 'Oficer' });
  expect(correctedValues(values, { EMAIL: '', PHONE: '1' })).toMatchObject({ externalId: 'P-1', phone: '1' });
  expect(correctedValues(values, { EMAIL: '' }).email).toBeUndefined();
  expect(correctedValues(values, { ROLE: '' }).role).toBe('');
});
