// A screen as people see it: light and dark, on a wide and on a narrow window. It has no barrier that axe can find, and
// one main heading; a picture of it is kept in `artifacts/screens`.

import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { join } from 'node:path';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const;

const SCHEMES = ['light', 'dark'] as const;

/** WCAG 2.2 AA, and what it includes of before. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What depends on colours. Nothing else differs between light and dark. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** Expects no barrier on the page as it is, or only none of its colours. */
export async function expectAccessible(page: Page, ofColours = false): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (ofColours ? axe.withRules(COLOUR_RULES) : axe.withTags(RULES)).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    rule: `${id}: ${help}`,
    places: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary ?? ''}`),
  }));
  expect(found, 'barriers').toEqual([]);
}

/** Expects nothing to reach over the right edge of the window, so that nobody has to scroll sideways. */
export async function expectNothingSideways(page: Page): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(over, 'pixels over the right edge').toBeLessThanOrEqual(0);
}

/**
 * Looks at a screen in both schemes and both sizes, and leaves it light and wide. On SQLite alone: the same screen looks the
 * same on another database.
 */
export async function lookAt(page: Page, name: string): Promise<void> {
  if (test.info().project.name !== 'sqlite') {
    return;
  }
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await test.step(`${name}, ${colorScheme}, ${size.width} wide`, async () => {
        await page.screenshot({
          path: picture(`${name}-${colorScheme}-${size.width}`),
          animations: 'disabled',
        });
        // In a window as high as the page, so that nothing is beneath a bar at the window's edge.
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ ...size, height: Math.max(size.height, height) });
        await expectAccessible(page, colorScheme === 'dark');
        await expectNothingSideways(page);
        await expect(page.locator('h1'), 'headings of the page').toHaveCount(1);
        await page.setViewportSize(size);
      });
    }
  }
  await page.setViewportSize(SIZES[0]);
  await page.emulateMedia({ colorScheme: 'light' });
}

function picture(name: string): string {
  return join(import.meta.dirname, '../../artifacts/screens', `${name}.png`);
}
