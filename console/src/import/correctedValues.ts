import type { UserRow } from '~/gen/userimport/v1/types_pb';
import { fieldOf } from '~/review/rosterColumns';

/**
 * The row with the cells that were typed.
 *
 * A cell that the row does not give stays left out if it is blank: given as blank it would clear the stored value.
 */
export function correctedValues(values: UserRow, typed: Readonly<Record<string, string>>): UserRow {
  const corrected = { ...values };
  for (const [column, value] of Object.entries(typed)) {
    const field = fieldOf(column);
    if (field && (value !== '' || values[field] !== undefined)) {
      corrected[field] = value;
    }
  }
  return corrected;
}
