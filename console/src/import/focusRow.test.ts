import { afterEach, expect, test, vi } from 'vitest';

import { focusRow } from './focusRow';

afterEach(() => document.body.replaceChildren());

test('the next button of the row has the focus, or what stands beneath it', async () => {
  document.body.innerHTML =
    '<div data-correction="1"><button>Other</button></div>' +
    '<div data-correction="2"><button disabled>Off</button><button>Next</button></div>' +
    '<div data-correction="3" tabindex="-1">Judging</div>';
  focusRow(2);
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe('Next'));
  focusRow(3);
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe('Judging'));
});
