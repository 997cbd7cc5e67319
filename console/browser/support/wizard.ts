// The way through an import, step by step, as somebody with a mouse goes it.

import { expect, type Locator, type Page } from '@playwright/test';

/** A file as the browser's own dialogue gives it. */
export type ChosenFile =
  string | { readonly name: string; readonly mimeType: string; readonly buffer: Buffer };

export class ImportWizard {
  constructor(readonly page: Page) {}

  /** The heading of a step, which has the focus when the step is shown. */
  heading(name: string): Locator {
    return this.page.getByRole('heading', { level: 2, name });
  }

  /** Chooses a file and waits until the server has said what it is. */
  async choose(file: ChosenFile): Promise<void> {
    await this.page.getByLabel('Roster file').setInputFiles(file);
    await expect(this.page.getByText(/^\d+ columns?, header on line \d+$/)).toBeVisible();
  }

  async next(name: 'Continue' | 'Review' = 'Continue'): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  /** From the file to the options, by the columns if one of them does not match. */
  async toOptions(): Promise<void> {
    const isMatched = await this.page.getByText('so the step Columns is skipped').isVisible();
    await this.next();
    if (!isMatched) {
      await expect(this.heading('Match columns and values')).toBeFocused();
      await this.next();
    }
    await expect(this.heading('Choose how to import')).toBeFocused();
  }

  /** From the file to the review, with the options that `choose` chooses. */
  async review(
    file: ChosenFile,
    choose: (wizard: ImportWizard) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    await this.choose(file);
    await this.toOptions();
    await choose(this);
    await this.next('Review');
    await expect(this.page.getByRole('button', { name: 'Continue', exact: true })).toBeEnabled({
      timeout: 60_000,
    });
  }

  async deactivateMissing(): Promise<void> {
    await this.page.getByLabel('Deactivate all currently Active users not listed in the file').check();
  }

  /** From the review to the results. */
  async confirm(numbers: string): Promise<void> {
    await this.next();
    await expect(this.heading('Confirm')).toBeFocused();
    if (numbers.includes('deactivated')) {
      await this.page.getByLabel(/^Type Confirm/).fill('Confirm');
    }
    await this.page.getByRole('button', { name: `Import: ${numbers}` }).click();
  }

  async expectComplete(): Promise<void> {
    await expect(this.page.getByText('The import is complete')).toBeVisible({ timeout: 90_000 });
  }
}

/** A roster as a chosen file. */
export function fileOf(content: string, name = 'roster.csv'): ChosenFile {
  return { name, mimeType: 'text/csv', buffer: Buffer.from(content) };
}
